import { ApiError } from '@wcc/api';
import type { ImageId, VmId } from '@wcc/api';
import { syncDirectory } from '@wcc/copy/receive';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { withHeldPool } from '../../images/pool/held-pool.ts';
import { statEntry } from '../../images/scan/stat-entry.ts';
import type { Action, Completion, OperationInput } from '../../operations/action.ts';
import type { WriteStatement } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { ignoreMissing } from '../../files/errors.ts';
import { runSteps } from '../steps/steps.ts';
import type { Step } from '../steps/steps.ts';
import { assertDisksCurrent } from '../host/disk-layers.ts';
import { removeFromHypervisor } from '../host/remove-machine.ts';
import { toVmFailure } from '../host/hypervisor-errors.ts';
import { isDiskThere, readDiskFiles } from '../record/disk-file.ts';
import { findVm, readDisks } from '../record/machine-rows.ts';

export interface DeleteInput extends OperationInput {
  vmId: VmId;
  uuid: string;
  name: string;
  /** Whether its disks are deleted too; else they stay as images. */
  disks: boolean;
}

/**
 * `delete_vm`. It can be cancelled until the first step starts to remove something. From then on it completes, also
 * after a crash.
 */
export function createDeleteAction(context: MachinesContext): Action<DeleteInput> {
  return {
    name: 'delete_vm',
    resumesAfterFailure: true,
    needsSlot: () => false,
    phases: phasesOf,
    async start({ input }, hooks) {
      let canCancel = true;
      const steps = stepsOf(context, input, () => (canCancel = false));
      return runSteps(steps, hooks, { places: context.places, canCancel: () => canCancel });
    },
    async reconcile({ input }) {
      const row = await findVm(context.store, input.vmId);
      if (row?.state !== 'deleting') return 'nothing';
      for (const { run } of stepsOf(context, input, () => {})) await run(noTools);
      return 'published';
    },
    complete: ({ input }) => complete(context, input),
    abandon: ({ input }) => release(context, input),
    retry() {
      const message = 'A failed deletion cannot be retried.';
      throw new ApiError('invalid_state', { message, hint: 'Delete the machine again.' });
    },
  };
}

const noTools = { follow: () => {}, measure: () => {}, warn: () => {}, signal: new AbortController().signal };

function phasesOf({ disks }: DeleteInput): string[] {
  return ['stop', 'undefine', ...(disks ? ['delete_disks'] : [])];
}

function stepsOf(context: MachinesContext, input: DeleteInput, onRemoval: () => void): Step[] {
  const { hypervisor, seeds, store } = context;
  const { uuid, vmId } = input;
  const stop = async (): Promise<void> => {
    const { db } = store;
    const row = await findVm(store, vmId);
    // Another program may have made a snapshot since the request. A deletion that has begun continues.
    if (input.disks && row?.state === 'ready') await assertDisksCurrent(context, row);
    await store.write([{ query: db.updateTable('vms').set({ state: 'deleting' }).where('id', '=', vmId) }]);
    onRemoval();
    if ((await hypervisor.status(uuid)) !== null) await hypervisor.powerOff(uuid);
  };
  const undefine = async (): Promise<void> => {
    await removeFromHypervisor(context, uuid);
    await seeds.remove(uuid);
  };
  const work: Record<string, Step['run']> = {
    stop,
    undefine,
    delete_disks: () => deleteDisks(context, input),
  };
  return phasesOf(input).map((phase) => ({
    phase,
    run: (tools) => work[phase]?.(tools) ?? Promise.resolve(),
  }));
}

/** A file that another program put under the name of a disk stays. */
async function deleteDisks(context: MachinesContext, { vmId, poolId }: DeleteInput): Promise<void> {
  const { store, images } = context;
  const disks = await readDiskFiles(store, vmId);
  const remove = async (directory: string): Promise<void> => {
    for (const disk of disks) {
      if (await isDiskThere(directory, disk)) await unlink(join(directory, disk.name)).catch(ignoreMissing);
    }
    await syncDirectory(directory);
  };
  await withHeldPool(images.pools, poolId, remove).catch((error: unknown) => {
    throw toVmFailure(context, error);
  });
}

async function complete(context: MachinesContext, input: DeleteInput): Promise<Completion> {
  const { db } = context.store;
  const { vmId, disks, name } = input;
  const ids = disks ? await imagesWithoutFile(context, input) : [];
  return {
    statements: [
      ...(ids.length > 0 ? [{ query: db.deleteFrom('images').where('id', 'in', ids) }] : []),
      { query: db.deleteFrom('vmDisks').where('vmId', '=', vmId) },
      { query: db.deleteFrom('vms').where('id', '=', vmId) },
    ],
    result: { kind: 'vm', id: vmId },
    target: { kind: 'vm', id: vmId, name },
  };
}

/** A file that stays keeps its record, and with it its owner and its privacy. */
async function imagesWithoutFile(
  { store, images }: MachinesContext,
  { vmId, poolId }: DeleteInput,
): Promise<ImageId[]> {
  const directory = images.pools.find(poolId).path;
  const disks = await readDisks(store, vmId);
  const entries = await Promise.all(disks.map(({ name }) => statEntry(join(directory, name), name)));
  return disks.filter((_, index) => entries[index] === null).map(({ imageId }) => imageId);
}

/** After a cancel or a failure the machine is usable again. */
function release({ store }: MachinesContext, { vmId }: DeleteInput): WriteStatement[] {
  const query = store.db.updateTable('vms').set({ state: 'ready', operationId: null }).where('id', '=', vmId);
  return [{ query }];
}
