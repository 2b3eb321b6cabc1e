import { removeRemains } from '@wcc/copy';
import { syncDirectory } from '../../files/sync-directory.ts';
import type { MachinesContext } from '../context.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { readDisks } from '../record/machine-rows.ts';
import { removeDiskFile } from './disk-files.ts';
import type { DiskTarget } from './disk-files.ts';
import type { CreateInput } from './input.ts';

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

/** An aborted start may still take effect between two calls, so the removal is repeated. */
const attempts = 3;

/** Powers a machine off and undefines it. Does nothing on a host without a hypervisor. */
export async function removeFromHypervisor({ hypervisor }: MachinesContext, uuid: string): Promise<void> {
  try {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if ((await hypervisor.status(uuid)) !== null) await hypervisor.powerOff(uuid);
      // Also when the machine is unknown: the driver runs an aborted `define` to its end before this call.
      await hypervisor.undefine(uuid);
      if ((await hypervisor.status(uuid)) === null) return;
    }
    throw new HypervisorError('invalid_state', { detail: 'the machine starts again after each removal' });
  } catch (error) {
    if (!(error instanceof HypervisorError)) throw error;
    if (error.code !== 'packages_missing' && error.code !== 'unknown_machine') throw error;
  }
}
