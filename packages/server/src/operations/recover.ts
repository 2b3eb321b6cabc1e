import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationInput } from './action.ts';
import { commit } from './commit.ts';
import { stopWork } from './control.ts';
import { briefCodes, repairableCodes, spaceCodes } from './failure.ts';
import type { Engine } from './engine.ts';
import { createActiveOperation, isResuming } from './active-operation.ts';
import { reconcileWithDisk } from './reconcile.ts';
import type { ActiveOperation } from './active-operation.ts';
import { fallBack, withState } from './record.ts';
import { readEndedSince, readLogEnd } from './rows.ts';
import type { OperationRow } from './rows.ts';
import type { Scheduler } from './scheduler.ts';
import { hasRoom } from './space-need.ts';

const recentMs = 10 * 60_000;

/**
 * Restores the operations of an earlier process. Every operation that had not ended is active again, in the order of
 * acceptance; running operations become `interrupted`. The disk is not touched.
 */
export async function adopt(engine: Engine, rows: readonly OperationRow<OperationInput>[]): Promise<void> {
  for (const row of rows) {
    const operation = await restore(engine, row);
    if (operation === null) continue;
    if (operation.record.state !== 'running') {
      engine.hub.put(operation.record);
      continue;
    }
    const record = withState(operation.record, 'interrupted', { code: 'server_restarted' });
    await operation.exclusive(() =>
      commit(engine, operation, {
        record,
        log: [{ kind: 'state', text: 'interrupted: the server was killed' }],
      }),
    );
  }
}

/** Shows recent ends to clients that missed them. */
export async function publishRecentEnds(engine: Engine): Promise<void> {
  const since = new Date(engine.retention.nowMs() - recentMs).toISOString();
  for (const { record } of await readEndedSince(engine.store, since)) engine.hub.put(record);
}

/** Null for an unknown action: its row stays for a program that knows it. */
async function restore(engine: Engine, row: OperationRow<OperationInput>): Promise<ActiveOperation | null> {
  const action = engine.actions.get(row.record.action);
  if (action === undefined) {
    engine.onError(new Error(`unknown action ${row.record.action}`), {
      stage: `operation ${row.id}: recovery`,
    });
    return null;
  }
  const { logNumber } = await readLogEnd(engine.store, row.id);
  const { input, rev } = row;
  // The numbers are zero until wcc reads the durable numbers from the disk, because they only rise within an epoch.
  const record = { ...fallBack(row.record, null), sinceProgressMs: 0, queuePosition: null };
  const operation = createActiveOperation({ action, input, record, rev, logNumber, isRecovered: true });
  engine.active.set(operation.id, operation);
  return operation;
}

/**
 * Recovers the operations of an available pool: completes published ones, cleans up cancelled ones, resumes or
 * re-queues the rest. Called at the start, and when a pool becomes available again.
 */
export async function recoverPool(
  engine: Engine,
  scheduler: Scheduler,
  { poolId, becameReady }: PoolRecovery,
): Promise<void> {
  const waiting = [...engine.active.values()].filter(
    (operation) => operation.input.poolId === poolId && operation.work === null && !operation.hasSlot,
  );
  for (const operation of waiting) {
    await recoverOperation(engine, scheduler, { operation, becameReady }).catch((error: unknown) =>
      engine.onError(error, { stage: `operation ${operation.id}: recovery` }),
    );
  }
  scheduler.pump(poolId);
}

export interface PoolRecovery {
  poolId: string;
  /** The pool was not available until now. */
  becameReady: boolean;
}

async function recoverOperation(
  engine: Engine,
  scheduler: Scheduler,
  { operation, becameReady }: { operation: ActiveOperation; becameReady: boolean },
): Promise<void> {
  if (scheduler.isWaiting(operation)) return;
  // A restart changes no pause.
  const isRepaired = becameReady && !operation.isRecovered;
  if (becameReady) operation.poolLosses = 0;
  await operation.exclusive(() => reconcileWithDisk(engine, operation));
  if (!engine.active.has(operation.id)) return;
  const { state } = operation.record;
  if (state === 'cancelling') stopWork(engine, operation);
  if (operation.action.clientDriven && (state === 'queued' || state === 'interrupted')) {
    await awaitClient(engine, scheduler, operation);
    return;
  }
  const { code = '' } = operation.record.stateReason ?? {};
  const isUnblocked = isRepaired && state === 'paused' && repairableCodes.has(code);
  if (state === 'queued' || isUnblocked || isResuming(operation.record)) scheduler.submit(operation);
  if (state === 'interrupted') scheduler.submit(operation, { first: true });
}

/** Waits for the client, unless all data is there. The reason is shown, not stored. */
async function awaitClient(engine: Engine, scheduler: Scheduler, operation: ActiveOperation): Promise<void> {
  if ((await operation.action.clientDriven?.isComplete(operation)) === true) scheduler.submit(operation);
  else if (operation.work === null) {
    operation.record = { ...operation.record, stateReason: { code: 'waiting_for_client' } };
    engine.hub.put(operation.record);
  }
}

/** Shows which operations wait for a pool, and stops those that run in it. The reason is not stored. */
export function publishUnavailable(engine: Engine): void {
  for (const operation of engine.active.values()) {
    const { state } = operation.record;
    if (engine.isPoolReady(operation.input.poolId)) continue;
    // It keeps its directory open, so its checkpoint is in the pool. It releases the disk, and waits for it.
    if (state === 'running' && operation.action.resumesAfterFailure && !operation.action.clientDriven)
      operation.work?.interrupt();
    if (state !== 'interrupted' && state !== 'queued') continue;
    operation.record = { ...operation.record, stateReason: { code: 'pool_unavailable' } };
    engine.hub.put(operation.record);
  }
}

/** Interval of the checks whether paused operations can resume. */
const failurePollMs = 3_000;

/** Resumes operations that a full disk or a brief failure paused. Ends when `signal` aborts. */
export async function watchFailures(
  engine: Engine,
  scheduler: Scheduler,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(failurePollMs, undefined, { signal, ref: false }).catch(() => {});
    for (const operation of engine.active.values()) {
      const { state, stateReason } = operation.record;
      const { code = '' } = stateReason ?? {};
      if (signal.aborted || state !== 'paused' || !(spaceCodes.has(code) || briefCodes.has(code))) continue;
      await resumeIfPassed(engine, scheduler, { operation, code }).catch((error: unknown) =>
        engine.onError(error, { stage: `operation ${operation.id}: resume` }),
      );
    }
  }
}

const maxRetryPauseMs = 60_000;

async function resumeIfPassed(
  engine: Engine,
  scheduler: Scheduler,
  { operation, code }: { operation: ActiveOperation; code: string },
): Promise<void> {
  if (!engine.isPoolReady(operation.input.poolId) || scheduler.isWaiting(operation) || operation.hasSlot)
    return;
  const nowMs = engine.clock.monotonicMs();
  const { atMs, pauseMs } = operation.failureRetry;
  if (nowMs < atMs + pauseMs) return;
  const space = spaceCodes.has(code) ? await operation.action.space?.(operation) : undefined;
  // Free space does not show a quota that was used up.
  const refusal = code === 'quota' ? null : operation.spaceRefusal;
  if (space !== undefined && !hasRoom(space, refusal, nowMs)) return;
  // If the work fails again at once, the attempts must not fill the log.
  operation.failureRetry = {
    atMs: nowMs,
    pauseMs: Math.min(Math.max(pauseMs * 2, failurePollMs), maxRetryPauseMs),
  };
  scheduler.submit(operation);
}
