import type { Selectable } from 'kysely';
import type { BootDevice, ImageId, VmAutostart, VmId } from '@wcc/api';
import { join } from 'node:path';
import { readChain } from '../../images/base-file.ts';
import type { ImagesContext } from '../../images/context.ts';
import type { Database } from '../../storage/schema.ts';
import type { Store, WriteStatement } from '../../storage/store.ts';
import { isDiskFormat } from './plan.ts';
import type { CreateInput, DiskPlan, VmPlan } from './plan.ts';
import type { BackingSpec, DiskSpec, MachineSpec, NetworkSpec } from '../hypervisor/machine-spec.ts';
import type { Seeds } from '../seed/seeds.ts';

export type VmRow = Selectable<Database['vms']>;
export type VmDiskRow = Selectable<Database['vmDisks']>;

/** Rows of a machine before it is provisioned. They reserve its name and its disks. */
export function insertVm(
  { store }: { store: Store },
  { input, operationId, ownerName }: { input: CreateInput; operationId: string; ownerName: string },
): WriteStatement[] {
  const { vm, disks, poolId, ownerId, firstBoot } = input;
  const row = {
    ...rowOf(vm),
    poolId,
    ownerId,
    ownerName,
    state: 'making' as const,
    operationId,
    hasSeed: firstBoot === null ? 0 : 1,
    createdAt: new Date().toISOString(),
    pausedFor: null,
  };
  const rows = disks.map((disk) => ({ query: store.db.insertInto('vmDisks').values(diskRowOf(vm, disk)) }));
  return [{ query: store.db.insertInto('vms').values(row) }, ...rows];
}

function rowOf(
  vm: VmPlan,
): Omit<
  VmRow,
  | 'poolId'
  | 'ownerId'
  | 'ownerName'
  | 'state'
  | 'operationId'
  | 'hasSeed'
  | 'createdAt'
  | 'pausedFor'
  | 'autostart'
  | 'autostartOrder'
  | 'autostartDelaySeconds'
> {
  const { id, uuid, name, cpus, memoryBytes, firmware, network, mac, bootOrder, cdromImageId, cdBus } = vm;
  const numbers = { id, uuid, name, cpus, memoryBytes, firmware, mac, cdromImageId, cdBus };
  const net = { networkKind: network.kind, networkName: network.name };
  return { ...numbers, ...net, bootOrder: JSON.stringify(bootOrder) };
}

function diskRowOf(vm: VmPlan, disk: DiskPlan): VmDiskRow {
  const { position, imageId, name, format, sizeBytes, baseId, making } = disk;
  const sourceId = making.kind === 'blank' ? null : making.source.id;
  return { vmId: vm.id, position, imageId, name, format, sizeBytes, baseId, sourceId, inode: null };
}

export async function findVm(store: Store, id: VmId): Promise<VmRow | undefined> {
  return store.db.selectFrom('vms').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function readDisks(store: Store, vmId: VmId): Promise<VmDiskRow[]> {
  return store.db.selectFrom('vmDisks').selectAll().where('vmId', '=', vmId).orderBy('position').execute();
}

export interface SpecSources {
  store: Store;
  images: Pick<ImagesContext, 'pools'>;
  seeds: Seeds;
}

/** A machine as the specification that drivers take. */
export async function specOf(
  sources: SpecSources,
  row: VmRow,
  disks: readonly VmDiskRow[],
): Promise<MachineSpec> {
  const directory = sources.images.pools.find(row.poolId).path;
  const { uuid, id, name, cpus, memoryBytes, firmware, mac, cdBus } = row;
  return {
    uuid,
    id,
    name,
    cpus,
    memoryBytes,
    firmware,
    mac,
    disks: await Promise.all(disks.map((disk) => diskSpecOf(sources, directory, disk))),
    cdrom: row.cdromImageId === null ? null : await imagePath(sources, row.cdromImageId),
    seed: row.hasSeed === 1 ? sources.seeds.pathOf(uuid) : null,
    cdBus,
    network: networkOf(row),
    bootOrder: bootOrderOf(row),
  };
}

export async function diskSpecOf(
  sources: SpecSources,
  directory: string,
  { name, format, baseId }: VmDiskRow,
): Promise<DiskSpec> {
  return { path: join(directory, name), format, backing: await chainOf(sources, baseId) };
}

export function autostartOf(row: VmRow): VmAutostart {
  const { autostart, autostartOrder: order, autostartDelaySeconds: delaySeconds } = row;
  return { enabled: autostart === 1, order, delaySeconds };
}

export function bootOrderOf({ bootOrder }: VmRow): BootDevice[] {
  return JSON.parse(bootOrder) as BootDevice[];
}

function networkOf({ networkKind, networkName }: VmRow): NetworkSpec {
  if (networkKind === 'bridge' || networkKind === 'network')
    return { kind: networkKind, name: networkName ?? '' };
  return { kind: networkKind };
}

async function imagePath({ store, images }: SpecSources, id: ImageId): Promise<string | null> {
  const image = await store.db
    .selectFrom('images')
    .select(['poolId', 'name'])
    .where('id', '=', id)
    .where('state', '=', 'ready')
    .executeTakeFirst();
  return image === undefined ? null : join(images.pools.find(image.poolId).path, image.name);
}

/** The backing chain of an overlay, nearest first. */
export async function chainOf(
  { store, images }: Pick<SpecSources, 'store' | 'images'>,
  baseId: ImageId | null,
): Promise<BackingSpec[]> {
  const chain: BackingSpec[] = [];
  for (const { format, poolId, name } of await readChain(store, baseId)) {
    if (!isDiskFormat(format)) break;
    chain.push({ path: join(images.pools.find(poolId).path, name), format });
  }
  return chain;
}
