import type { Vm } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { CliError } from '../runtime/errors.ts';
import type { Server } from './server.ts';

/** A machine of wcc's: it has a number. */
export type OwnVm = Vm & { id: number };

/**
 * The machine of an id or a name. Digits are an id; `name:123` means the name. Machines of other programs have
 * a name only, and one of wcc's goes before them.
 */
export async function findVm(server: Server, text: string): Promise<Vm> {
  if (/^\d+$/.test(text)) return findById(server, text);
  const name = text.replace(/^name:/, '');
  const all = (await server.api.vms()).items.filter((machine) => machine.name === name);
  const own = all.filter(({ id }) => id !== null);
  const found = own.length > 0 ? own : all;
  const [machine] = found;
  if (machine === undefined) {
    throw new CliError('not_found', `There is no machine "${name}".`, { hint: 'See them: wcc vm ls' });
  }
  if (found.length > 1) {
    throw new CliError('usage', `"${name}" means several machines of other programs.`, { code: 'ambiguous' });
  }
  return machine;
}

/** One that can be changed. @throws CliError `vm_foreign` */
export async function findOwnVm(server: Server, text: string): Promise<OwnVm> {
  const machine = await findVm(server, text);
  const { id, name } = machine;
  if (id !== null) return { ...machine, id };
  throw new CliError('failed', `Another program made "${name}"; wcc only looks at it.`, {
    code: 'vm_foreign',
    hint: 'Use the program that made it.',
  });
}

async function findById({ api }: Server, text: string): Promise<Vm> {
  try {
    return await api.vm(Number(text));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
    throw new CliError('not_found', `There is no machine ${text}.`, {
      code: error.code,
      hint: `See them: wcc vm ls   One whose name is a number: name:${text}`,
      cause: error,
    });
  }
}
