import { ApiError } from '@wcc/api';
import { readCheckpoint, removeRemains } from '@wcc/copy';
import type { Snapshot } from '@wcc/progress';
import type { Principal } from '../../access/principal.ts';
import { registerImage } from '../../images/register-image.ts';
import { measureRoom, readReservation } from '../../images/free-space.ts';
import type { Action, Completion, OperationView } from '../../operations/action.ts';
import type { WriteStatement } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { toWorkFailure } from '../host/hypervisor-errors.ts';
import { markAbandoned } from '../host/sweep.ts';
import { readDisks } from '../record/machine-rows.ts';
import { phasesOf, stepsOf } from './provision.ts';
import type { CreateInput } from './input.ts';
import { runSteps } from './steps.ts';
import { undoProvision } from './undo.ts';

export interface Retry {
  principal: Principal;
  idempotencyKey: string | null;
  retryOf: string;
}

/**
 * `create_vm`, `quick_create_vm` and `copy_vm`: a machine is made, wholly or not at all. Every step finds what an
 * earlier process did; a bad end undoes them all.
 */
export function createVmAction(
  context: MachinesContext,
  name: string,
  retry: (input: CreateInput, request: Retry) => Promise<Snapshot>,
): Action {
  const inputOf = (operation: OperationView): CreateInput => operation.input as CreateInput;
  /** Operations whose traces are gone: their machine's row may go too. */
  const undone = new Set<string>();
  return {
    name,
    canPause: true,
    waitsInLine: (input) => !isQuick(input as CreateInput),
    phases: (input) => phasesOf(input as CreateInput),
    start: (operation, hooks) => Promise.resolve(runSteps(stepsOf(context, operation), hooks)),
    // Whatever was done is found again, step by step: there is nothing to decide beforehand.
    settle: () => Promise.resolve('resumable'),
    durable: (operation) => durableOf(context, operation),
    complete: (operation) => complete(context, inputOf(operation)),
    async room(operation) {
      const pool = await context.images.pools.use(operation.input.poolId);
      const own = await readReservation(context.store, pool, operation.id);
      const { freeBytes } = await measureRoom(context.images, pool, operation.id);
      return { needsBytes: Math.max(0, (own?.reservedBytes ?? 0) - (own?.writtenBytes ?? 0)), freeBytes };
    },
    async clean(operation) {
      undone.delete(operation.id);
      await undoProvision(context, operation.id, inputOf(operation)).catch((error: unknown) => {
        throw toWorkFailure(error, '');
      });
      undone.add(operation.id);
    },
    abandon: (operation) => abandon(context, inputOf(operation), undone.delete(operation.id)),
    async forget(operation) {
      await removeRemains(context.images.pools.find(operation.input.poolId).path, operation.id);
    },
    async retry(operation, { principal, idempotencyKey }) {
      const input = inputOf(operation);
      if (input.hasSecrets) throw new ApiError('secret_gone');
      return retry(input, { principal, idempotencyKey, retryOf: operation.id });
    },
  };
}

/** Overlays, blank disks and shared blocks take no time, and must not wait behind copies that do. */
function isQuick({ disks }: CreateInput): boolean {
  return disks.every(({ making }) => making.kind !== 'copy' || making.method === 'clone');
}

/** The copy that was under way. */
async function durableOf(
  { store, images }: MachinesContext,
  operation: OperationView,
): Promise<{ phase: string; done: number } | null> {
  const { vm, poolId } = operation.input as CreateInput;
  const disks = await readDisks(store, vm.id);
  const current = disks.find(({ inode }) => inode === null);
  if (current === undefined) return null;
  const checkpoint = await readCheckpoint((await images.pools.use(poolId)).path, operation.id);
  if (checkpoint?.phase !== 'transfer') return null;
  return { phase: `disk_${current.position + 1}`, done: Number(checkpoint.doneBytes) };
}

/** The one batch that makes it a machine: its disks become images of the pool. */
async function complete({ store, images }: MachinesContext, input: CreateInput): Promise<Completion> {
  const { vm, disks, poolId, ownerId } = input;
  const directory = images.pools.find(poolId).path;
  const made = await Promise.all(
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
    statements: [{ query: ready, expectRows: 1 }, ...made.flatMap(({ statements }) => statements)],
    result: { kind: 'vm', id: vm.id },
    target,
  };
}

/** Nothing is left of it; or what could not be removed now stays known, and is removed later. */
function abandon({ store }: MachinesContext, { vm }: CreateInput, isUndone: boolean): WriteStatement[] {
  const { db } = store;
  if (!isUndone) return markAbandoned(store, vm.id);
  return [
    { query: db.deleteFrom('vmDisks').where('vmId', '=', vm.id) },
    { query: db.deleteFrom('vms').where('id', '=', vm.id) },
  ];
}
