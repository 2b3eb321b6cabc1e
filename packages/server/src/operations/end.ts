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
import { endPhases, failPhase, withState } from './record.ts';

/** Said of an operation that was published before its cancel arrived. */
export const cancelTooLate = 'cancel_too_late';

/**
 * The three ends. Each is one batch: the record, what it registers, its reservations, audit and log. It is
 * reached exactly once, because the batch states the `rev` that it ends.
 */
export async function endSucceeded(
  engine: Engine,
  live: ActiveOperation,
  end: { result: WorkResult | null; log?: readonly LogLine[] },
): Promise<void> {
  const { result, log = [] } = end;
  const completion = await withRetries(engine, live, () => live.action.complete(live, result));
  const wasCancelling = live.record.state === 'cancelling';
  const told = live.record.warnings;
  const fresh = new Set([...(result?.warnings ?? []), ...(wasCancelling ? [cancelTooLate] : [])]);
  const warnings = [...fresh].filter((code) => !told.includes(code));
  const record: OperationRecord = {
    ...endPhases(succeeded(live.record), result),
    warnings: [...told, ...warnings],
    bytes: result?.bytes ?? live.record.bytes,
    method: result?.method ?? live.record.method,
    result: completion.result,
    target: completion.target,
    phaseIndex: live.record.phases.length - 1,
  };
  const text = wasCancelling ? 'succeeded: the cancel came too late' : 'succeeded';
  const lines: LogLine[] = [
    ...log,
    ...warnings.map((warning) => ({ kind: 'warning' as const, text: warning })),
  ];
  const statements = [...completion.statements, ...closingStatements(engine, live, 'ok')];
  await commit(engine, live, {
    record,
    log: [...lines, { kind: 'state', text }],
    statements,
    insists: true,
  });
  deactivate(engine, live);
  // The sidecar tells a crash before this line that the file was published; from here on the store does.
  await live.action.discardCheckpoint?.(live).catch((error: unknown) => report(engine, live, error));
}

export async function endFailed(engine: Engine, live: ActiveOperation, error: unknown): Promise<void> {
  const told = toOperationError(error);
  // The log needs what was thrown, not the failure that wraps it.
  if (told.code === 'internal')
    report(engine, live, error instanceof WorkFailure ? (error.cause ?? error) : error);
  // A disk that will not be cleaned now is swept later; the operation has failed all the same.
  await live.action.cleanUp?.(live).catch((cause: unknown) => report(engine, live, cause));
  await recordFailure(engine, live, told);
}

/** "Cancelled" says that nothing is left: when that cannot be had, the operation has failed (decision 0020). */
export async function endCancelled(engine: Engine, live: ActiveOperation): Promise<void> {
  try {
    await withRetries(engine, live, async () => live.action.cleanUp?.(live));
  } catch (error) {
    await recordFailure(engine, live, toOperationError(error));
    return;
  }
  const record = failPhase(withState(live.record, 'cancelled'));
  const log: LogLine[] = [{ kind: 'state', text: 'cancelled' }];
  const statements = [...abandonStatements(live), ...closingStatements(engine, live, 'cancelled')];
  await commit(engine, live, { record, log, statements, insists: true });
  deactivate(engine, live);
}

async function recordFailure(engine: Engine, live: ActiveOperation, told: OperationError): Promise<void> {
  const record = failPhase(withState(live.record, 'failed'));
  const log: LogLine[] = [
    { kind: 'error', text: `${told.code}: ${told.message}` },
    { kind: 'state', text: `failed: ${told.code}` },
  ];
  const statements = [...abandonStatements(live), ...closingStatements(engine, live, told.code)];
  await commit(engine, live, { record: { ...record, error: told }, log, statements, insists: true });
  deactivate(engine, live);
}

/** A paused or interrupted operation that turns out to be published ends by way of `running`. */
function succeeded(record: OperationRecord): OperationRecord {
  const direct = record.state === 'running' || record.state === 'cancelling';
  return withState(direct ? record : withState(record, 'running'), 'succeeded');
}

function abandonStatements(live: ActiveOperation): readonly WriteStatement[] {
  return live.action.abandon?.(live) ?? [];
}

function closingStatements(engine: Engine, live: ActiveOperation, result: string): WriteStatement[] {
  const { db } = engine.store;
  const { action, ownerName } = live.record;
  return [
    { query: db.deleteFrom('nameReservations').where('operationId', '=', live.id) },
    { query: db.deleteFrom('spaceReservations').where('operationId', '=', live.id) },
    { query: db.deleteFrom('operationSecrets').where('operationId', '=', live.id) },
    auditStatement({
      who: ownerName,
      address: 'wcc',
      what: `${action}.end`,
      subject: `operation:${live.id}`,
      result,
    }),
  ];
}

function deactivate(engine: Engine, live: ActiveOperation): void {
  live.stopPolling();
  engine.active.delete(live.id);
}

/** A hiccup of the disk, while what was published is looked at or what was cancelled is removed, is tried over. */
async function withRetries<Result>(
  engine: Engine,
  live: ActiveOperation,
  look: () => Promise<Result>,
): Promise<Result> {
  const attempts = 5;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await look();
    } catch (error) {
      report(engine, live, error);
      if (attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * attempt));
    }
  }
}

function report(engine: Engine, live: ActiveOperation, error: unknown): void {
  engine.onError(error, { stage: `operation ${live.id}: ${live.record.action}` });
}
