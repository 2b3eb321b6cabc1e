import { ApiError } from '@wcc/api';
import * as recovery from '@wcc/copy/recovery';
import type { Snapshot } from '@wcc/progress';
import { registerImage } from '../../images/publish/register-image.ts';
import { measureFreeSpace, readReservation } from '../../images/space/free-space.ts';
import type { Action, Completion, OperationView, RetryRequest } from '../../operations/action.ts';
import type { WriteStatement } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { toVmFailure } from '../host/hypervisor-errors.ts';
import { markAbandoned } from './sweep.ts';
import { readDisks } from '../record/machine-rows.ts';
import { phasesOf, stepsOf } from './provision.ts';
import type { CreateInput } from '../record/plan.ts';
import { runSteps } from '../steps/steps.ts';
import { undoProvision } from './undo.ts';

/**
 * `create_vm`, `quick_create_vm` and `copy_vm`: creates a machine completely or not at all. After a crash, each step
 * detects its own earlier results. A failure or a cancel undoes all steps.
 */
export function createVmAction(
  context: MachinesContext,
  name: string,
  retry: (input: CreateInput, request: RetryRequest) => Promise<Snapshot>,
): Action<CreateInput> {
  /** Ids of completely undone operations: the rows of their machines can be deleted. */
  const undone = new Set<string>();
  return {
    name,
    canPause: true,
    resumesAfterFailure: true,
    needsSlot: (input) => !isQuick(input),
    phases: phasesOf,
    start: (operation, hooks) => Promise.resolve(runSteps(stepsOf(context, operation), hooks, context)),
    // Each step detects its own earlier results, so the work can always resume.
    reconcile: () => Promise.resolve('resumable'),
    durableProgress: (operation) => durableProgress(context, operation),
    complete: ({ input }) => complete(context, input),
    async space(operation) {
      const pool = await context.images.pools.use(operation.input.poolId);
      const own = await readReservation(context.store, pool, operation.id);
      const { freeBytes, freeInodes } = await measureFreeSpace(context.images, pool, [operation.id]);
      const needsBytes = Math.max(0, (own?.reservedBytes ?? 0) - (own?.writtenBytes ?? 0));
      return { needsBytes, freeBytes, freeInodes };
    },
    async cleanUp(operation) {
      undone.delete(operation.id);
      await undoProvision(context, operation.id, operation.input.vm.id).catch((error: unknown) => {
        throw toVmFailure(context, error);
      });
      undone.add(operation.id);
    },
    abandon: (operation) => abandon(context, operation.input, undone.delete(operation.id)),
    async discardCheckpoint(operation) {
      await recovery.remove(context.images.pools.find(operation.input.poolId).path, operation.id);
    },
    async retry({ input }, request) {
      if (input.hasSecrets) throw new ApiError('secret_gone');
      return retry(input, request);
    },
  };
}

/** Whether all disks are overlays, blank or shared blocks: such an operation does not wait for copies. */
function isQuick({ disks }: CreateInput): boolean {
  return disks.every(({ making }) => making.kind !== 'copy' || making.method === 'clone');
}

/** The checkpoint of the copy that a crash interrupted. */
async function durableProgress(
  { store, images }: MachinesContext,
  operation: OperationView<CreateInput>,
): Promise<{ phase: string; done: number } | null> {
  const { vm, poolId } = operation.input;
  const disks = await readDisks(store, vm.id);
  const current = disks.find(({ inode }) => inode === null);
  if (current === undefined) return null;
  const checkpoint = await recovery.readCheckpoint((await images.pools.use(poolId)).path, operation.id);
  if (checkpoint?.phase !== 'transfer') return null;
  return { phase: `disk_${current.position + 1}`, done: Number(checkpoint.doneBytes) };
}

/** The batch that makes the machine ready and registers its disks as images of the pool. */
async function complete({ store, images }: MachinesContext, input: CreateInput): Promise<Completion> {
  const { vm, disks, poolId, ownerId } = input;
  const directory = images.pools.find(poolId).path;
  const registered = await Promise.all(
    disks.map(({ imageId, name, format, sizeBytes, baseId, making }) =>
      registerImage(store, {
        id: imageId,
        poolId,
        directory,
        name,
        format,
        virtualSizeBytes: sizeBytes,
        ownerId,
        copiedFrom: making.kind === 'blank' ? null : making.source.id,
        baseId,
        dataBytes: null,
        isDisk: true,
      }),
    ),
  );
  const ready = store.db
    .updateTable('vms')
    .set({ state: 'ready', operationId: null })
    .where('id', '=', vm.id)
    .where('state', '=', 'making');
  const target = { kind: 'vm', id: vm.id, name: vm.name };
  return {
    statements: [{ query: ready, expectRows: 1 }, ...registered.flatMap(({ statements }) => statements)],
    result: { kind: 'vm', id: vm.id },
    target,
  };
}

/**
 * Deletes the rows of an undone machine. If the undo is incomplete, keeps them as `abandoned` for a later sweep.
 */
function abandon({ store }: MachinesContext, { vm }: CreateInput, isUndone: boolean): WriteStatement[] {
  const { db } = store;
  if (!isUndone) return markAbandoned(store, vm.id);
  return [
    { query: db.deleteFrom('vmDisks').where('vmId', '=', vm.id) },
    { query: db.deleteFrom('vms').where('id', '=', vm.id) },
  ];
}
