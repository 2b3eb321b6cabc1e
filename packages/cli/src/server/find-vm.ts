import type { Vm, VmId } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { CliError } from '../runtime/errors.ts';
import type { Server } from './server.ts';

/** A machine that wcc manages; it has an id. */
export type OwnVm = Vm & { id: VmId };

/**
 * Finds a machine by id or name. Digits are an id; `name:123` is the name "123". Machines of other programs have
 * only a name, and a machine of wcc takes precedence.
 *
 * @throws CliError `not_found`, or `usage` if several machines have this name
 */
export async function findVm(server: Server, text: string): Promise<Vm> {
  if (/^\d+$/.test(text)) return findById(server, text);
  const name = text.replace(/^name:/, '');
  const all = (await server.api.vms()).items.filter((machine) => machine.name === name);
  const own = all.filter(({ id }) => id !== null);
  const found = own.length > 0 ? own : all;
  const [machine] = found;
  if (machine === undefined) {
    throw new CliError('not_found', `There is no machine "${name}".`, { hint: 'List machines: wcc vm ls' });
  }
  if (found.length > 1) {
    throw new CliError('usage', `"${name}" is the name of several machines of other programs.`, {
      code: 'ambiguous',
    });
  }
  return machine;
}

/** Finds a machine that wcc manages. @throws CliError `vm_foreign` for a machine of another program */
export async function findOwnVm(server: Server, text: string): Promise<OwnVm> {
  const machine = await findVm(server, text);
  const { id, name } = machine;
  if (id !== null) return { ...machine, id };
  throw new CliError('failed', `"${name}" belongs to another program; wcc can only show it.`, {
    code: 'vm_foreign',
    hint: 'Use the program that created it.',
  });
}

async function findById({ api }: Server, text: string): Promise<Vm> {
  try {
    return await api.vm(Number(text));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
    throw new CliError('not_found', `There is no machine ${text}.`, {
      code: error.code,
      hint: `List machines: wcc vm ls   For the name ${text}: name:${text}`,
      cause: error,
    });
  }
}
