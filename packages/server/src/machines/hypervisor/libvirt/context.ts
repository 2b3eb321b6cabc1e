import { join } from 'node:path';
import type { OrderOptions } from '../../hypervisor.ts';
import { assertNotAborted, HypervisorError } from '../hypervisor-error.ts';
import { isUuid } from '../machine-spec.ts';
import type { LibvirtHost } from './host.ts';
import type { DomainStats } from './states.ts';
import { parseStats } from './states.ts';
import type { Tagged } from './tag.ts';
import { readTag } from './tag.ts';
import type { Question, Virsh } from './virsh.ts';

/** What every call of the driver works with. */
export interface LibvirtContext {
  readonly virsh: Virsh;
  /** See `markOf`. */
  readonly mark: string;
  /** Directories of the machines. */
  readonly root: string;
  host(options?: { afresh?: boolean }): Promise<LibvirtHost>;
  /** Machines that were made a moment ago: ours, and off. When, by the monotonic clock. */
  readonly fresh: Map<string, number>;
  /** Something may have changed. */
  readonly changed: () => void;
}

/** The same for one order, which is given up with its signal. @throws HypervisorError `given_up` */
export function asLongAs(context: LibvirtContext, { signal }: OrderOptions = {}): LibvirtContext {
  assertNotAborted(signal);
  return signal === undefined ? context : { ...context, virsh: context.virsh.until(signal) };
}

export interface MachineFiles {
  readonly directory: string;
  readonly serial: string;
  readonly firmwareVariables: string;
}

/** Where libvirt's system daemon lets its QEMU, which is another user than we are, keep such files; it gives them away itself. */
const systemVariables = '/var/lib/libvirt/qemu/nvram';

export function filesOf({ root, virsh }: LibvirtContext, uuid: string): MachineFiles {
  const directory = join(root, uuid);
  const firmwareVariables =
    virsh.connection.uri === 'qemu:///system'
      ? join(systemVariables, `${uuid}_VARS.fd`)
      : join(directory, 'vars.fd');
  return { directory, serial: join(directory, 'serial.log'), firmwareVariables };
}

/** Everything that is asked about machines; each may be asked together with others. */
export const questions = {
  names: ['list', '--all', '--uuid', '--name'] as const,
  states: ['domstats', '--state', '--vcpu', '--balloon', '--raw'] as const,
  machine: (uuid: string): Question => ['dumpxml', '--inactive', '--domain', uuid],
  stateOf: (uuid: string): Question => [...questions.states, '--domain', uuid],
};

/** UUID and name of every machine of this libvirt. `virsh` prints the UUID, a blank, and the name to the end of the line. */
export function parseNames(answer: string): Map<string, string> {
  const pairs = answer.split('\n').filter((line) => isUuid(line.slice(0, 36)));
  return new Map(pairs.map((line) => [line.slice(0, 36), line.slice(36).trim()]));
}

/**
 * What we know of one machine. `virsh` takes a UUID for a name when no machine has that UUID, so its answer counts only when the UUID in it is
 * the right one; nothing is done to a machine before this was asked.
 * @returns undefined when it is nowhere, null when it is foreign
 */
export async function find(context: LibvirtContext, uuid: string): Promise<Tagged | null | undefined> {
  if (!isUuid(uuid)) return undefined;
  const [xml = ''] = await context.virsh.ask(questions.machine(uuid));
  return recognise(context, uuid, xml);
}

/** See `find`. @param xml what virsh answered about this UUID */
export function recognise({ mark }: LibvirtContext, uuid: string, xml: string): Tagged | null | undefined {
  // The first is the machine's own: what stands before it is its name, in which a `<` is escaped.
  const answered = /<uuid>([0-9a-f-]{36})<\/uuid>/.exec(xml)?.[1];
  return answered === uuid ? readTag(xml, { uuid, mark }) : undefined;
}

/** A machine, and what it does now. */
export interface Look {
  /** Null: it is foreign. */
  readonly found: Tagged | null;
  readonly stats: DomainStats;
}

/** See `find`. @returns null when it is nowhere */
export async function look(context: LibvirtContext, uuid: string): Promise<Look | null> {
  if (!isUuid(uuid)) return null;
  const [xml = '', states = ''] = await context.virsh.ask(questions.machine(uuid), questions.stateOf(uuid));
  const found = recognise(context, uuid, xml);
  const [stats] = parseStats(states);
  if (found === undefined || stats === undefined) return null;
  return { found, stats: await completeStats(context, uuid, stats) };
}

/** Why a machine waits for its disk takes a question of its own. */
export async function completeStats(
  { virsh }: LibvirtContext,
  uuid: string,
  stats: DomainStats,
): Promise<DomainStats> {
  if (stats.reason !== 'io_error') return stats;
  const words = await virsh.run('domblkerror', uuid).catch(() => '');
  return words.includes('no space') ? { ...stats, reason: 'no_space' } : stats;
}

/** Our machine, and what it does now. */
export type OurLook = Look & { readonly found: Tagged };

/** @throws HypervisorError `unknown_machine`, `foreign_machine` */
export async function assertOwn(context: LibvirtContext, uuid: string): Promise<OurLook> {
  const looked = await look(context, uuid);
  if (looked === null) throw new HypervisorError('unknown_machine', { detail: uuid });
  const { found, stats } = looked;
  if (found === null) throw new HypervisorError('foreign_machine', { detail: uuid });
  return { found, stats };
}

export const isOn = ({ state, reason }: DomainStats): boolean =>
  state === 'running' || state === 'paused' || reason === 'guest_panic';

/** Our machine, which must be on. @throws HypervisorError `unknown_machine`, `foreign_machine`, `invalid_state` */
export async function assertOwnOn(context: LibvirtContext, uuid: string): Promise<OurLook> {
  const looked = await assertOwn(context, uuid);
  if (isOn(looked.stats)) return looked;
  throw new HypervisorError('invalid_state', { detail: looked.stats.state });
}
