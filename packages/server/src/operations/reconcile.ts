import { isUniqueViolation } from '../storage/errors.ts';
import type { ActiveOperation } from './active-operation.ts';
import { endSucceeded } from './end.ts';
import type { Engine } from './engine.ts';
import { fallBack } from './record.ts';
import { isOwn, readRow } from './rows.ts';

/** Compares an operation without work with the disk: completes a published one, and reads its durable progress. */
export async function reconcileWithDisk(engine: Engine, operation: ActiveOperation): Promise<void> {
  const { state } = operation.record;
  if (
    operation.work !== null ||
    !engine.active.has(operation.id) ||
    state === 'queued' ||
    state === 'running'
  )
    return;
  if ((await operation.action.reconcile?.(operation)) === 'published') {
    await endSucceeded(engine, operation, {
      result: null,
      log: [{ kind: 'note', text: 'published before the server stopped' }],
    });
    return;
  }
  // Numbers never fall while the process lives, so wcc reads the disk only for operations of an earlier process.
  if (!operation.isRecovered || (state !== 'interrupted' && state !== 'paused')) return;
  operation.isRecovered = false;
  operation.record = fallBack(
    operation.record,
    (await operation.action.durableProgress?.(operation)) ?? null,
  );
  engine.hub.put(operation.record);
}

/**
 * Completes an operation that has failed or was cancelled although the disk has its result, because the disk did not
 * answer at its end. Its record stays as it is; its result is registered, unless another row has its name.
 * @returns false if the disk does not have its result
 */
export async function registerLateResult(engine: Engine, id: string): Promise<boolean> {
  const row = await readRow(engine.store, id);
  if (row === null || !isOwn(row) || row.record.state === 'succeeded') return false;
  const action = engine.actions.get(row.record.action);
  if ((await action?.isPublished?.(row)) !== true) return false;
  const completion = await action?.complete(row, null);
  await engine.store.write(completion?.statements ?? []).catch((error: unknown) => {
    // A scan has registered the file already.
    if (!isUniqueViolation(error)) throw error;
  });
  await action?.discardCheckpoint?.(row);
  return true;
}
