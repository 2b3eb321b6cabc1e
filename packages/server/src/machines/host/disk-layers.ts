import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { judgePath } from '../../images/scan/stat-entry.ts';
import type { MachinesContext } from '../context.ts';
import type { MachineStatus } from '../hypervisor.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { readDisks } from '../record/machine-rows.ts';
import type { VmDiskRow, VmRow } from '../record/machine-rows.ts';
import { mapHypervisorErrors } from './hypervisor-errors.ts';

/**
 * After an external snapshot the newest data of a disk is in another file, and the disk below it must stay as it is. These
 * checks find such files, for everything that reads, defines or deletes a disk.
 */
type Context = Pick<MachinesContext, 'store' | 'hypervisor' | 'images' | 'places'>;
type Machine = Pick<VmRow, 'id' | 'uuid' | 'poolId'>;

/**
 * Refuses a disk of a machine whose newest data is elsewhere. An image that no machine has passes.
 * @throws ApiError `vm_changed_outside`, `hypervisor_unavailable`
 */
export async function assertDiskCurrent(context: Context, imageId: ImageId): Promise<void> {
  const row = await context.store.db
    .selectFrom('vmDisks')
    .innerJoin('vms', 'vms.id', 'vmDisks.vmId')
    .select(['vms.id', 'vms.uuid', 'vms.poolId'])
    .where('vmDisks.imageId', '=', imageId)
    .where('vms.state', '=', 'ready')
    .executeTakeFirst();
  if (row !== undefined) await mapHypervisorErrors(context, () => assertDisksCurrent(context, row));
}

/**
 * The same for all disks of a machine. Without an answer of the hypervisor nothing is known, so it is refused.
 * @throws HypervisorError `changed_outside`, `unavailable`; ApiError `vm_changed_outside`
 */
export async function assertDisksCurrent(context: Context, machine: Machine): Promise<void> {
  const status = await statusOf(context, machine.uuid);
  if (status === null) return assertNoLayers(context, machine);
  const differences = status.differences.filter(({ setting }) => setting === 'disks');
  if (differences.length > 0) throw new HypervisorError('changed_outside', { differences });
}

/** On a host without a hypervisor, no other program uses it. */
async function statusOf({ hypervisor }: Context, uuid: string): Promise<MachineStatus | null> {
  return hypervisor.status(uuid).catch((error: unknown) => {
    if (error instanceof HypervisorError && error.code === 'packages_missing') return null;
    throw error;
  });
}

/**
 * For a machine that the hypervisor does not know: another program may have removed it below an external snapshot. libvirt puts
 * the file of a snapshot beside the disk.
 * @throws ApiError `vm_changed_outside`
 */
export async function assertNoLayers(context: Context, { id, poolId }: Machine): Promise<void> {
  const { path } = context.images.pools.find(poolId);
  for (const disk of await readDisks(context.store, id)) {
    const layer = await findLayer(context, path, disk);
    if (layer !== null) throw hidden(disk, layer);
  }
}

/** A file in the same directory that has the disk as its backing file, and that no image of wcc is. */
async function findLayer(
  { store }: Context,
  directory: string,
  { name, imageId }: VmDiskRow,
): Promise<string | null> {
  const overlays = await store.db
    .selectFrom('images')
    .select('name')
    .where('baseId', '=', imageId)
    .where('state', '=', 'ready')
    .execute();
  const known = new Set([name, ...overlays.map((overlay) => overlay.name)]);
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.startsWith('.') || known.has(entry.name)) continue;
    if (await isLayer(join(directory, entry.name), name)) return entry.name;
  }
  return null;
}

async function isLayer(path: string, baseName: string): Promise<boolean> {
  return (await needsBackingFile(path)) && !(await needsBackingFile(path, baseName));
}

/** @param allowed the name of a backing file that does not count */
async function needsBackingFile(path: string, allowed?: string): Promise<boolean> {
  // A file that cannot be read now is no disk that a guest has written to.
  const found = await judgePath(path, allowed === undefined ? {} : { baseName: allowed }).catch(() => null);
  return found !== null && found !== 'busy' && 'refusal' in found && found.refusal.reason === 'backing_file';
}

function hidden({ name }: VmDiskRow, layer: string): ApiError {
  const message = `The hypervisor does not have this machine, and the file "${layer}" has newer data of its disk "${name}".`;
  const hint = `Define the machine in the hypervisor with that file. Or merge it (qemu-img commit ${layer}) and delete it, then try again.`;
  return new ApiError('vm_changed_outside', { message, hint });
}
