import { join } from 'node:path';
import type { CallOptions } from '../../hypervisor.ts';
import { assertNotAborted, HypervisorError } from '../hypervisor-error.ts';
import { isUuid } from '../machine-spec.ts';
import type { LibvirtHost } from './host.ts';
import type { DomainStats } from './states.ts';
import { parseStats } from './states.ts';
import type { TaggedSpec } from './tag.ts';
import { readTag } from './tag.ts';
import type { VirshQuery, Virsh } from './virsh.ts';

/** What every call of the driver works with. */
export interface LibvirtContext {
  readonly virsh: Virsh;
  /** See `markOf`. */
  readonly owner: string;
  /** Directories of the machines. */
  readonly root: string;
  host(options?: { afresh?: boolean }): Promise<LibvirtHost>;
  /** Machines that were made a moment ago: ours, and off. When, by the monotonic clock. */
  readonly justDefined: Map<string, number>;
  /** Something may have changed. */
  readonly changed: () => void;
}

/** The same for one order, which is given up with its signal. @throws HypervisorError `aborted` */
export function withSignal(context: LibvirtContext, { signal }: CallOptions = {}): LibvirtContext {
  assertNotAborted(signal);
  return signal === undefined ? context : { ...context, virsh: context.virsh.withSignal(signal) };
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
export const queries = {
  names: ['list', '--all', '--uuid', '--name'] as const,
  states: ['domstats', '--state', '--vcpu', '--balloon', '--raw'] as const,
  machine: (uuid: string): VirshQuery => ['dumpxml', '--inactive', '--domain', uuid],
  stateOf: (uuid: string): VirshQuery => [...queries.states, '--domain', uuid],
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
export async function findOwn(context: LibvirtContext, uuid: string): Promise<TaggedSpec | null | undefined> {
  if (!isUuid(uuid)) return undefined;
  const [xml = ''] = await context.virsh.query(queries.machine(uuid));
  return parseOwn(context, uuid, xml);
}

/** See `find`. @param xml what virsh answered about this UUID */
export function parseOwn(
  { owner }: LibvirtContext,
  uuid: string,
  xml: string,
): TaggedSpec | null | undefined {
  // The first is the machine's own: what stands before it is its name, in which a `<` is escaped.
  const answered = /<uuid>([0-9a-f-]{36})<\/uuid>/.exec(xml)?.[1];
  return answered === uuid ? readTag(xml, { uuid, owner }) : undefined;
}

/** A machine, and what it does now. */
export interface MachineProbe {
  /** Null: it is foreign. */
  readonly own: TaggedSpec | null;
  readonly stats: DomainStats;
}

/** See `find`. @returns null when it is nowhere */
export async function probe(context: LibvirtContext, uuid: string): Promise<MachineProbe | null> {
  if (!isUuid(uuid)) return null;
  const [xml = '', states = ''] = await context.virsh.query(queries.machine(uuid), queries.stateOf(uuid));
  const own = parseOwn(context, uuid, xml);
  const [stats] = parseStats(states);
  if (own === undefined || stats === undefined) return null;
  return { own, stats: await completeStats(context, uuid, stats) };
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
export type OwnMachine = MachineProbe & { readonly own: TaggedSpec };

/** @throws HypervisorError `unknown_machine`, `foreign_machine` */
export async function assertOwn(context: LibvirtContext, uuid: string): Promise<OwnMachine> {
  const now = await probe(context, uuid);
  if (now === null) throw new HypervisorError('unknown_machine', { detail: uuid });
  const { own, stats } = now;
  if (own === null) throw new HypervisorError('foreign_machine', { detail: uuid });
  return { own, stats };
}

export const isOn = ({ state, reason }: DomainStats): boolean =>
  state === 'running' || state === 'paused' || reason === 'guest_panic';

/** Our machine, which must be on. @throws HypervisorError `unknown_machine`, `foreign_machine`, `invalid_state` */
export async function assertOwnOn(context: LibvirtContext, uuid: string): Promise<OwnMachine> {
  const now = await assertOwn(context, uuid);
  if (isOn(now.stats)) return now;
  throw new HypervisorError('invalid_state', { detail: now.stats.state });
}
