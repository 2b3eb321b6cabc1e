import { removeRemains } from '@wcc/copy';
import { syncDirectory } from '../../files/sync-directory.ts';
import type { MachinesContext } from '../context.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { readDisks } from '../record/machine-rows.ts';
import { removeDiskFile } from './disk-files.ts';
import type { DiskTarget } from './disk-files.ts';
import type { CreateInput } from './input.ts';

/** Takes back every step of a machine's making, whichever were done. May be done again. */
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
  const place: DiskTarget = { operationId, poolId, directory: path };
  for (const disk of disks) {
    const row = rows.find(({ position }) => position === disk.position);
    await removeDiskFile(place, disk, row?.inode ?? null);
  }
  await removeRemains(path, operationId);
  await syncDirectory(path);
}

/** A start that was given up may have come through between two of our orders. */
const attempts = 3;

/** Stops it and makes the hypervisor forget it. A host without a hypervisor has none of it. */
export async function removeFromHypervisor({ hypervisor }: MachinesContext, uuid: string): Promise<void> {
  try {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if ((await hypervisor.status(uuid)) !== null) await hypervisor.powerOff(uuid);
      // Of a machine that is nowhere too: an order that was given up in the middle comes before this.
      await hypervisor.undefine(uuid);
      if ((await hypervisor.status(uuid)) === null) return;
    }
    throw new HypervisorError('invalid_state', { detail: 'it comes back' });
  } catch (error) {
    if (!(error instanceof HypervisorError)) throw error;
    if (error.code !== 'packages_missing' && error.code !== 'unknown_machine') throw error;
  }
}
