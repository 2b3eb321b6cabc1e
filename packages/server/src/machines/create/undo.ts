import type { VmId } from '@wcc/api';
import { syncDirectory } from '@wcc/copy/receive';
import * as recovery from '@wcc/copy/recovery';
import type { MachinesContext } from '../context.ts';
import { removeFromHypervisor } from '../host/remove-machine.ts';
import { findVm, readDisks } from '../record/machine-rows.ts';
import type { VmDiskRow, VmRow } from '../record/machine-rows.ts';
import { removeDiskFile } from './disk-files.ts';
import type { DiskTarget } from './disk-files.ts';

/**
 * Undoes all steps of provisioning, whether they have run or not. Idempotent. Everything that it needs is in the rows of
 * the machine, because its operation may be gone from the history.
 */
export async function undoProvision(
  context: MachinesContext,
  operationId: string,
  vmId: VmId,
): Promise<void> {
  const vm = await findVm(context.store, vmId);
  if (vm === undefined) return;
  await removeFromHypervisor(context, vm.uuid);
  const removal = context.seeds.remove(vm.uuid);
  // A data directory that fails must not keep the disks in the pool.
  await removal.catch(() => {});
  await removeDisks(context, operationId, vm);
  await removal;
}

async function removeDisks(context: MachinesContext, operationId: string, vm: VmRow): Promise<void> {
  const { path } = await context.images.pools.use(vm.poolId);
  const target: DiskTarget = { operationId, poolId: vm.poolId, directory: path };
  for (const disk of await readDisks(context.store, vm.id))
    await removeDiskFile(target, { name: disk.name, isCopy: isCopy(disk) }, disk.inode);
  await recovery.remove(path, operationId);
  await syncDirectory(path);
}

/** A blank disk has no source, and the source of an overlay is its base. */
function isCopy({ sourceId, baseId }: VmDiskRow): boolean {
  return sourceId !== null && sourceId !== baseId;
}
