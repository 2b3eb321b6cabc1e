import { join } from 'node:path';
import { HypervisorError } from '../../hypervisor-error.ts';
import { isUuid } from '../../machine-spec.ts';
import type { LibvirtHost } from './host.ts';
import type { DomainStats } from './states.ts';
import { parseStats } from './states.ts';
import type { Tagged } from './tag.ts';
import { readTag } from './tag.ts';
import type { Virsh } from './virsh.ts';

/** What every call of the driver works with. */
export interface LibvirtContext {
  readonly virsh: Virsh;
  /** See `markOf`. */
  readonly mark: string;
  /** Directories of the machines. */
  readonly root: string;
  host(options?: { afresh?: boolean }): Promise<LibvirtHost>;
  /** Something may have changed. */
  readonly changed: () => void;
}

export interface MachineFiles {
  readonly directory: string;
  readonly serial: string;
  readonly firmwareVariables: string;
}

export function filesOf({ root }: LibvirtContext, uuid: string): MachineFiles {
  const directory = join(root, uuid);
  return { directory, serial: join(directory, 'serial.log'), firmwareVariables: join(directory, 'vars.fd') };
}

/** UUID and name of every machine of this libvirt. `virsh` prints the UUID, a blank, and the name to the end of the line. */
export async function listAll({ virsh }: LibvirtContext): Promise<Map<string, string>> {
  const lines = (await virsh.run('list', '--all', '--uuid', '--name')).split('\n');
  const pairs = lines.filter((line) => isUuid(line.slice(0, 36)));
  return new Map(pairs.map((line) => [line.slice(0, 36), line.slice(36).trim()]));
}

/**
 * What we know of one machine. `virsh` takes a UUID for a name when no machine has that UUID, so its answer counts only when the UUID in it is
 * the right one; nothing is done to a machine before this was asked.
 * @returns undefined when it is nowhere, null when it is foreign
 */
export async function find(context: LibvirtContext, uuid: string): Promise<Tagged | null | undefined> {
  if (!isUuid(uuid)) return undefined;
  const xml = await context.virsh.run('dumpxml', '--inactive', uuid).catch((error: unknown) => {
    if (error instanceof HypervisorError && error.code === 'unknown_machine') return null;
    throw error;
  });
  // The first is the machine's own: what stands before it is its name, in which a `<` is escaped.
  const answered = xml === null ? null : /<uuid>([0-9a-f-]{36})<\/uuid>/.exec(xml)?.[1];
  if (xml === null || answered !== uuid) return undefined;
  return readTag(xml, { uuid, mark: context.mark });
}

/** @throws HypervisorError `unknown_machine`, `foreign_machine` */
export async function demandOurs(context: LibvirtContext, uuid: string): Promise<Tagged> {
  const found = await find(context, uuid);
  if (found === undefined) throw new HypervisorError('unknown_machine', { detail: uuid });
  if (found === null) throw new HypervisorError('foreign_machine', { detail: uuid });
  return found;
}

/** The machine must be known. */
export async function statsOf({ virsh }: LibvirtContext, uuid: string): Promise<DomainStats> {
  const [stats] = parseStats(
    await virsh.run('domstats', '--state', '--vcpu', '--balloon', '--raw', '--', uuid),
  );
  if (!stats) throw new HypervisorError('unknown_machine', { detail: uuid });
  if (stats.reason !== 'io_error') return stats;
  const words = await virsh.run('domblkerror', uuid).catch(() => '');
  return words.includes('no space') ? { ...stats, reason: 'no_space' } : stats;
}

export const isOn = ({ state, reason }: DomainStats): boolean =>
  state === 'running' || state === 'paused' || reason === 'guest_panic';

/** Our machine, which must be on. @throws HypervisorError `unknown_machine`, `foreign_machine`, `invalid_state` */
export async function demandOn(context: LibvirtContext, uuid: string): Promise<Tagged> {
  const found = await demandOurs(context, uuid);
  const stats = await statsOf(context, uuid);
  if (!isOn(stats)) throw new HypervisorError('invalid_state', { detail: stats.state });
  return found;
}
