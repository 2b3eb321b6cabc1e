import { ApiError } from '@wcc/api';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../files/sync-directory.ts';
import { lookAt } from '../../images/scan/stat-entry.ts';
import type { Action, Completion, OperationInput, OperationView } from '../../operations/action.ts';
import type { WriteStatement } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { ignoreMissing } from '../../files/errors.ts';
import { runSteps } from '../create/steps.ts';
import type { Step } from '../create/steps.ts';
import { removeFromHypervisor } from '../create/undo.ts';
import { toWorkFailure } from '../host/hypervisor-errors.ts';
import { findVm, readDisks } from '../record/machine-rows.ts';

export interface DeleteInput extends OperationInput {
  vmId: number;
  uuid: string;
  name: string;
  /** Its disks too; else they stay as images. */
  disks: boolean;
}

/**
 * `delete_vm`. It may be cancelled until the first thing is gone; from then on it is carried to its end, after a
 * crash too.
 */
export function createDeleteAction(context: MachinesContext): Action {
  const inputOf = (operation: OperationView): DeleteInput => operation.input as DeleteInput;
  return {
    name: 'delete_vm',
    waitsInLine: false,
    phases: (input) => phasesOf(input as DeleteInput),
    async start(operation, hooks) {
      const input = inputOf(operation);
      const begun = { isTooLate: false };
      const steps = stepsOf(context, input, () => (begun.isTooLate = true));
      return runSteps(steps, hooks, { isTooLate: () => begun.isTooLate });
    },
    async settle(operation) {
      const input = inputOf(operation);
      const row = await findVm(context.store, input.vmId);
      if (row?.state !== 'deleting') return 'nothing';
      for (const { run } of stepsOf(context, input, () => {})) await run(noTools);
      return 'published';
    },
    durable: () => Promise.resolve(null),
    complete: (operation) => complete(context, inputOf(operation)),
    room: () => Promise.resolve({ needsBytes: 0, freeBytes: 0 }),
    clean: () => Promise.resolve(),
    abandon: (operation) => release(context, inputOf(operation)),
    forget: () => Promise.resolve(),
    retry() {
      const message = 'A deletion is not tried again by itself.';
      throw new ApiError('invalid_state', { message, hint: 'Delete the machine once more.' });
    },
  };
}

const noTools = { follow: () => {}, measure: () => {}, signal: new AbortController().signal };

function phasesOf({ disks }: DeleteInput): string[] {
  return ['stop', 'undefine', ...(disks ? ['delete_disks'] : [])];
}

function stepsOf(context: MachinesContext, input: DeleteInput, onBegun: () => void): Step[] {
  const { hypervisor, seeds, store } = context;
  const { uuid, vmId } = input;
  const stop = async (): Promise<void> => {
    const { db } = store;
    await store.write([{ query: db.updateTable('vms').set({ state: 'deleting' }).where('id', '=', vmId) }]);
    onBegun();
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

/** Only the files that are its disks: what somebody put in their place stays. */
async function deleteDisks({ store, images }: MachinesContext, { vmId, poolId }: DeleteInput): Promise<void> {
  const { path } = await images.pools.use(poolId).catch((error: unknown) => {
    throw toWorkFailure(error, '');
  });
  for (const { name, inode } of await readDisks(store, vmId)) {
    const entry = await lookAt(join(path, name), name);
    if (entry !== null && entry.inode === inode) await unlink(join(path, name)).catch(ignoreMissing);
  }
  await syncDirectory(path);
}

async function complete({ store }: MachinesContext, input: DeleteInput): Promise<Completion> {
  const { db } = store;
  const { vmId, disks, name } = input;
  const ids = (await readDisks(store, vmId)).map(({ imageId }) => imageId);
  const images = ids.length > 0 && disks ? [{ query: db.deleteFrom('images').where('id', 'in', ids) }] : [];
  return {
    statements: [
      ...images,
      { query: db.deleteFrom('vmDisks').where('vmId', '=', vmId) },
      { query: db.deleteFrom('vms').where('id', '=', vmId) },
    ],
    result: { kind: 'vm', id: vmId },
    target: { kind: 'vm', id: vmId, name },
  };
}

/** Cancelled or failed: it is a machine like any other again. */
function release({ store }: MachinesContext, { vmId }: DeleteInput): WriteStatement[] {
  const query = store.db.updateTable('vms').set({ state: 'ready', operationId: null }).where('id', '=', vmId);
  return [{ query }];
}
