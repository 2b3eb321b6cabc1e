import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostNetwork, MachineStatus } from '../../hypervisor.ts';
import { isNetworkName, isUuid } from '../machine-spec.ts';
import { listBridges } from '../host-bridges.ts';
import { trimSerialLog } from '../serial-log.ts';
import type { LibvirtContext } from './context.ts';
import { completeStats, filesOf, findOwn, parseNames, queries } from './context.ts';
import { parseStats } from './states.ts';

/** One call of virsh returns all names and states. `foreign` caches which machines are foreign. */
export async function list(context: LibvirtContext, foreign: Map<string, boolean>): Promise<MachineStatus[]> {
  const [names = '', states = ''] = await context.virsh.query(queries.names, queries.states);
  const stats = new Map(parseStats(states).map((one) => [one.name, one]));
  const all: MachineStatus[] = [];
  for (const [uuid, name] of parseNames(names)) {
    const one = stats.get(name);
    const isForeign = foreign.get(uuid) ?? (await queryForeign(context, uuid));
    // The machine was removed between two queries.
    if (!one || isForeign === null) continue;
    foreign.set(uuid, isForeign);
    all.push({ ...(await completeStats(context, uuid, one)), uuid, foreign: isForeign });
  }
  return all;
}

async function queryForeign(context: LibvirtContext, uuid: string): Promise<boolean | null> {
  const found = await findOwn(context, uuid);
  return found === undefined ? null : found === null;
}

/** Bridges, and active networks of libvirt. */
export async function listNetworks({ virsh }: LibvirtContext): Promise<HostNetwork[]> {
  const [bridges, output] = await Promise.all([listBridges(), virsh.run('net-list', '--name')]);
  const names = output.split('\n').map((name) => name.trim());
  const networks = names.filter((name) => isNetworkName('network', name));
  return [...bridges, ...networks.map((name) => ({ kind: 'network', name }) as const)];
}

async function directoriesOf({ root }: LibvirtContext): Promise<string[]> {
  return (await readdir(root).catch(() => [])).filter(isUuid);
}

export async function trimLogs(context: LibvirtContext): Promise<void> {
  for (const uuid of await directoriesOf(context)) await trimSerialLog(filesOf(context, uuid).serial);
}

/**
 * Removes directories of machines that libvirt does not know. A crash can leave these directories.
 * @param inTurn runs the work after other calls for the same machine
 */
export async function removeOrphanDirectories(
  context: LibvirtContext,
  inTurn: (uuid: string, work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  for (const uuid of await directoriesOf(context)) {
    await inTurn(uuid, async () => {
      const [names = ''] = await context.virsh.query(queries.names);
      if (!parseNames(names).has(uuid)) await rm(join(context.root, uuid), { recursive: true, force: true });
    });
  }
}
