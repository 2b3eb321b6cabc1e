import type { OperationWarning } from '@wcc/api';
import type { OperationError } from '@wcc/progress';
import { auditStatement } from '../storage/audit.ts';
import type { WriteStatement } from '../storage/store.ts';
import type { WorkResult } from './work.ts';
import { toOperationError, WorkFailure } from './failure.ts';
import type { LogLine } from './commit.ts';
import { commit } from './commit.ts';
import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import type { OperationRecord } from './record.ts';
import { endPhases, stopPhase, withState } from './record.ts';

/** Warning of an operation that was published before its cancel arrived. */
export const cancelTooLate = 'cancel_too_late';

/**
 * Success; failure and cancel follow below. Each end is one batch: the record, the rows it registers, reservations,
 * audit and log. It happens exactly once, because the batch names the `rev` that it ends.
 */
export async function endSucceeded(
  engine: Engine,
  operation: ActiveOperation,
  end: { result: WorkResult | null; log?: readonly LogLine[]; warning?: OperationWarning },
): Promise<void> {
  const { result, log = [] } = end;
  const completion = await withRetries(engine, operation, () => operation.action.complete(operation, result));
  const wasCancelling = operation.record.state === 'cancelling';
  const earlier = operation.record.warnings;
  const found = [...(completion.warnings ?? []), ...(result?.warnings ?? [])];
  const own = end.warning === undefined ? [] : [end.warning];
  const codes = new Set([...found, ...own, ...(wasCancelling ? [cancelTooLate] : [])]);
  const warnings = [...codes].filter((code) => !earlier.includes(code));
  const record: OperationRecord = {
    ...endPhases(succeeded(operation.record), result),
    warnings: [...earlier, ...warnings],
    bytes: result?.bytes ?? operation.record.bytes,
    method: result?.method ?? operation.record.method,
    result: completion.result,
    target: completion.target,
    phaseIndex: operation.record.phases.length - 1,
  };
  const text = wasCancelling ? 'succeeded: the cancel came too late' : 'succeeded';
  const lines: LogLine[] = [
    ...log,
    ...warnings.map((warning) => ({ kind: 'warning' as const, text: warning })),
  ];
  const statements = [...completion.statements, ...closingStatements(engine, operation, 'ok')];
  await commit(engine, operation, {
    record,
    log: [...lines, { kind: 'state', text }],
    statements,
    insists: true,
  });
  deactivate(engine, operation);
  // Until here, only the sidecar shows after a crash that the file was published. From here on, the store shows it.
  await operation.action
    .discardCheckpoint?.(operation)
    .catch((error: unknown) => report(engine, operation, error));
}

/**
 * Ends an operation as succeeded if the disk has its result, although its work failed. An end is read from the disk, not
 * from the failure.
 * @throws the error of the disk: then the end is unknown
 */
export async function endIfPublished(
  engine: Engine,
  operation: ActiveOperation,
  failure: OperationError,
): Promise<boolean> {
  if ((await operation.action.isPublished?.(operation)) !== true) return false;
  const log: LogLine[] = [{ kind: 'error', text: `${failure.code}: ${failure.message}` }];
  await endSucceeded(engine, operation, { result: null, log, warning: 'failed_after_publishing' });
  return true;
}

/** Records a failure. Call {@link endIfPublished} first. */
export async function endFailed(engine: Engine, operation: ActiveOperation, error: unknown): Promise<void> {
  const failure = toOperationError(error);
  // The log needs the original error, not the failure that wraps it.
  if (failure.code === 'internal')
    report(engine, operation, error instanceof WorkFailure ? (error.cause ?? error) : error);
  // A file that cannot be removed now is swept later; the operation has failed anyway.
  await operation.action.cleanUp?.(operation).catch((cause: unknown) => report(engine, operation, cause));
  await recordFailure(engine, operation, failure);
}

/** "Cancelled" promises that nothing is left; if the clean-up fails, the operation has failed (decision 0020). */
export async function endCancelled(engine: Engine, operation: ActiveOperation): Promise<void> {
  // Rejects where the disk does not answer. Then the operation stays `cancelling`, and the next look at its pool decides.
  const isPublished = await withRetries(engine, operation, async () =>
    operation.action.isPublished?.(operation),
  );
  if (isPublished === true) {
    await endSucceeded(engine, operation, { result: null });
    return;
  }
  try {
    await withRetries(engine, operation, async () => operation.action.cleanUp?.(operation));
  } catch (error) {
    await recordFailure(engine, operation, toOperationError(error));
    return;
  }
  const record = stopPhase(withState(operation.record, 'cancelled'));
  const log: LogLine[] = [{ kind: 'state', text: 'cancelled' }];
  const statements = [...abandonStatements(operation), ...closingStatements(engine, operation, 'cancelled')];
  await commit(engine, operation, { record, log, statements, insists: true });
  deactivate(engine, operation);
}

async function recordFailure(
  engine: Engine,
  operation: ActiveOperation,
  failure: OperationError,
): Promise<void> {
  const record = stopPhase(withState(operation.record, 'failed'));
  const log: LogLine[] = [
    { kind: 'error', text: `${failure.code}: ${failure.message}` },
    { kind: 'state', text: `failed: ${failure.code}` },
  ];
  const statements = [...abandonStatements(operation), ...closingStatements(engine, operation, failure.code)];
  await commit(engine, operation, { record: { ...record, error: failure }, log, statements, insists: true });
  deactivate(engine, operation);
}

/** A paused or interrupted operation that was published becomes `running` first. */
function succeeded(record: OperationRecord): OperationRecord {
  const direct = record.state === 'running' || record.state === 'cancelling';
  return withState(direct ? record : withState(record, 'running'), 'succeeded');
}

function abandonStatements(operation: ActiveOperation): readonly WriteStatement[] {
  return operation.action.abandon?.(operation) ?? [];
}

function closingStatements(engine: Engine, operation: ActiveOperation, result: string): WriteStatement[] {
  const { db } = engine.store;
  const { action, ownerName } = operation.record;
  return [
    { query: db.deleteFrom('nameReservations').where('operationId', '=', operation.id) },
    { query: db.deleteFrom('spaceReservations').where('operationId', '=', operation.id) },
    { query: db.deleteFrom('operationSecrets').where('operationId', '=', operation.id) },
    auditStatement({
      who: ownerName,
      address: 'wcc',
      what: `${action}.end`,
      subject: `operation:${operation.id}`,
      result,
    }),
  ];
}

function deactivate(engine: Engine, operation: ActiveOperation): void {
  operation.stopPolling();
  engine.active.delete(operation.id);
}

/** Retries after a passing error of the disk. */
async function withRetries<Result>(
  engine: Engine,
  operation: ActiveOperation,
  work: () => Promise<Result>,
): Promise<Result> {
  const attempts = 5;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      report(engine, operation, error);
      if (attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * attempt));
    }
  }
}

function report(engine: Engine, operation: ActiveOperation, error: unknown): void {
  engine.onError(error, { stage: `operation ${operation.id}: ${operation.record.action}` });
}
