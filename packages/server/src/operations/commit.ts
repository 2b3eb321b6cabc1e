import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreConflict, StoreError } from '../storage/errors.ts';
import type { StoreErrorCode } from '../storage/errors.ts';
import type { WriteStatement } from '../storage/store.ts';
import type { Engine } from './engine.ts';
import type { ActiveRecord } from './active-operation.ts';
import { elapsedMsOf, currentRecord, runClock } from './active-operation.ts';
import type { OperationRecord } from './record.ts';
import { readLogEnd } from './rows.ts';

/** One line of an operation's log. */
export interface LogLine {
  kind: 'state' | 'phase' | 'note' | 'warning' | 'error';
  text: string;
}

export interface Change {
  record: OperationRecord;
  log: readonly LogLine[];
  /** Rows that change together with the record, in the same batch. */
  statements?: readonly WriteStatement[];
}

const firstPauseMs = 50;
const maxPauseMs = 5_000;
/** A caller waits for this many attempts; the end of work is retried without a limit. */
const callerAttempts = 4;

/**
 * Makes a change durable, then shows it to the hub. Call it inside `operation.exclusive` only.
 *
 * @param change.insists retries without a limit, because what happened on the disk must reach the store
 */
export async function commit(
  engine: Engine,
  operation: ActiveRecord,
  change: Change & { insists?: boolean },
): Promise<Snapshot> {
  const record = timed(engine, operation, change.record);
  await writeDurably(engine, operation, { ...change, record });
  const before = operation.record.state;
  operation.rev += 1;
  operation.logNumber += change.log.length;
  operation.record = record;
  const nowMs = engine.clock.monotonicMs();
  runClock(operation, { runs: record.state === 'running' || record.state === 'cancelling', nowMs });
  // The work continued during the write: watchers must never see its numbers fall.
  const snapshot = engine.hub.put(isTerminal(record.state) ? record : currentRecord(operation, nowMs));
  if (record.state !== before) engine.onState(record);
  return snapshot;
}

function timed(engine: Engine, operation: ActiveRecord, record: OperationRecord): OperationRecord {
  const now = engine.clock.isoNow();
  return {
    ...record,
    elapsedMs: elapsedMsOf(operation, engine.clock.monotonicMs()),
    startedAt: record.startedAt ?? (record.state === 'running' ? now : null),
    endedAt: isTerminal(record.state) ? now : null,
  };
}

function batchOf(engine: Engine, operation: ActiveRecord, change: Change): WriteStatement[] {
  const { db } = engine.store;
  const { record, log, statements = [] } = change;
  const update = db
    .updateTable('operations')
    .set({
      state: record.state,
      startedAt: record.startedAt,
      // The ages of ended operations count from here, so a wrong wall clock must not be stored.
      endedAt: record.endedAt === null ? null : engine.retention.isoNow(),
      record: JSON.stringify(record),
      rev: operation.rev + 1,
    })
    .where('id', '=', operation.id)
    .where('rev', '=', operation.rev);
  const at = engine.clock.isoNow();
  const lines = log.map(({ kind, text }, index) => ({
    query: db
      .insertInto('operationLog')
      .values({ operationId: operation.id, number: operation.logNumber + index + 1, at, kind, text }),
  }));
  return [{ query: update, expectRows: 1 }, ...lines, ...statements];
}

async function writeDurably(
  engine: Engine,
  operation: ActiveRecord,
  change: Change & { insists?: boolean },
): Promise<void> {
  let pauseMs = firstPauseMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await engine.store.write(batchOf(engine, operation, change));
      return;
    } catch (error) {
      if (error instanceof StoreConflict) {
        if (await isWritten(engine, operation, change.record)) return;
        await catchUp(engine, operation, error);
        continue;
      }
      const mayWait = (change.insists === true && !engine.isStopping) || attempt < callerAttempts;
      if (isFinal(error) || !mayWait) throw error;
      engine.onError(error, { stage: `operation ${operation.id}: store` });
    }
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 2, maxPauseMs);
  }
}

const passing: ReadonlySet<string> = new Set<StoreErrorCode>(['store_failed', 'store_full']);

/** A batch that contradicts the data, and a closed store, fail again on every attempt. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof StoreError)) return true;
  return !passing.has(error.code);
}

/** An earlier attempt may have been committed although its answer was lost. */
async function isWritten(engine: Engine, operation: ActiveRecord, record: OperationRecord): Promise<boolean> {
  const row = await engine.store.db
    .selectFrom('operations')
    .select(['rev', 'record'])
    .where('id', '=', operation.id)
    .executeTakeFirst();
  return row?.rev === operation.rev + 1 && row.record === JSON.stringify(record);
}

/**
 * An earlier change was written although its caller gave up. Only this process writes the row, so its `rev`
 * counts, unless the row shows that the operation has ended or that no change was missed.
 */
async function catchUp(engine: Engine, operation: ActiveRecord, conflict: StoreConflict): Promise<void> {
  const { db } = engine.store;
  const row = await db
    .selectFrom('operations')
    .select(['rev', 'endedAt'])
    .where('id', '=', operation.id)
    .executeTakeFirst();
  if (row === undefined || row.endedAt !== null || row.rev <= operation.rev) throw conflict;
  const { logNumber } = await readLogEnd(engine.store, operation.id);
  operation.rev = row.rev;
  operation.logNumber = logNumber;
}
