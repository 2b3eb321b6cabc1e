import { removeRemains, syncDirectory } from '@wcc/copy';
import type { MachinesContext } from '../context.ts';
import { removeFromHypervisor } from '../host/remove-machine.ts';
import { readDisks } from '../record/machine-rows.ts';
import { removeDiskFile } from './disk-files.ts';
import type { DiskTarget } from './disk-files.ts';
import type { CreateInput } from '../record/plan.ts';

/** Undoes all steps of provisioning, whether they have run or not. Idempotent. */
export async function undoProvision(
  context: MachinesContext,
  operationId: string,
  input: CreateInput,
): Promise<void> {
  const { vm, disks, poolId } = input;
  await removeFromHypervisor(context, vm.uuid);
  await context.seeds.remove(vm.uuid);
  const { path } = await context.images.pools.use(poolId);
  const rows = await readDisks(context.store, vm.id);
  const target: DiskTarget = { operationId, poolId, directory: path };
  for (const disk of disks) {
    const row = rows.find(({ position }) => position === disk.position);
    await removeDiskFile(target, disk, row?.inode ?? null);
  }
  await removeRemains(path, operationId);
  await syncDirectory(path);
}
