import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostNetwork, MachineStatus } from '../../hypervisor.ts';
import { isNetworkName, isUuid } from '../machine-spec.ts';
import { listBridges } from '../host-bridges.ts';
import { trimSerialLog } from '../serial-log.ts';
import type { LibvirtContext } from './context.ts';
import {
  completeStats,
  differencesOf,
  filesOf,
  parseNames,
  parseOwn,
  parseSaved,
  queries,
} from './context.ts';
import { parseStats } from './states.ts';

/** Definitions per call of virsh, whose queries are one argument of limited length. */
const definitionsPerCall = 400;

/**
 * One call of virsh returns all names, states and the definitions of known machines.
 * @param foreign caches which machines are foreign
 */
export async function list(context: LibvirtContext, foreign: Map<string, boolean>): Promise<MachineStatus[]> {
  const known = [...foreign].filter(([, isForeign]) => !isForeign).map(([uuid]) => uuid);
  const first = known.slice(0, definitionsPerCall);
  const [names = '', states = '', saved = '', ...answers] = await context.virsh.query(
    queries.names,
    queries.states,
    queries.saved,
    ...first.map(queries.machine),
  );
  const definitions = new Map(first.map((uuid, index) => [uuid, answers[index] ?? '']));
  const found = parseNames(names);
  const unread = [...found.keys()].filter((uuid) => foreign.get(uuid) !== true && !definitions.has(uuid));
  for (const [uuid, xml] of await readDefinitions(context, unread)) definitions.set(uuid, xml);
  const stats = new Map(parseStats(states).map((one) => [one.name, one]));
  const savedUuids = parseSaved(saved);
  const all: MachineStatus[] = [];
  for (const [uuid, name] of found) {
    const one = stats.get(name);
    const xml = definitions.get(uuid) ?? '';
    const own = foreign.get(uuid) === true ? null : parseOwn(context, uuid, xml);
    // The machine was removed between two queries.
    if (!one || own === undefined) continue;
    foreign.set(uuid, own === null);
    const complete = await completeStats(context, { uuid, stats: one, saved: savedUuids });
    all.push({ ...complete, uuid, foreign: own === null, differences: differencesOf(context, { own, xml }) });
  }
  for (const uuid of foreign.keys()) if (!found.has(uuid)) foreign.delete(uuid);
  for (const uuid of context.compared.keys()) if (!found.has(uuid)) context.compared.delete(uuid);
  return all;
}

async function readDefinitions(
  { virsh }: LibvirtContext,
  uuids: readonly string[],
): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (let at = 0; at < uuids.length; at += definitionsPerCall) {
    const some = uuids.slice(at, at + definitionsPerCall);
    const answers = await virsh.query(...some.map(queries.machine));
    for (const [index, uuid] of some.entries()) all.set(uuid, answers[index] ?? '');
  }
  return all;
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
