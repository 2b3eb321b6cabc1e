import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationInput } from './action.ts';
import { commit } from './commit.ts';
import { stopWork } from './control.ts';
import { endSucceeded } from './end.ts';
import type { Engine } from './engine.ts';
import { createActiveOperation, isResuming } from './active-operation.ts';
import type { ActiveOperation } from './active-operation.ts';
import { fallBack, withState } from './record.ts';
import { readEndedSince, readLogEnd } from './rows.ts';
import type { OperationRow } from './rows.ts';
import type { Scheduler } from './scheduler.ts';

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
  const since = new Date(Date.now() - recentMs).toISOString();
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
export async function recoverPool(engine: Engine, scheduler: Scheduler, poolId: string): Promise<void> {
  const waiting = [...engine.active.values()].filter(
    (operation) => operation.input.poolId === poolId && operation.work === null && !operation.hasSlot,
  );
  for (const operation of waiting) {
    await recoverOperation(engine, scheduler, operation).catch((error: unknown) =>
      engine.onError(error, { stage: `operation ${operation.id}: recovery` }),
    );
  }
  scheduler.pump(poolId);
}

async function recoverOperation(
  engine: Engine,
  scheduler: Scheduler,
  operation: ActiveOperation,
): Promise<void> {
  if (scheduler.isWaiting(operation)) return;
  await operation.exclusive(() => reconcileWithDisk(engine, operation));
  if (!engine.active.has(operation.id)) return;
  const { state } = operation.record;
  if (state === 'cancelling') stopWork(engine, operation);
  if (operation.action.clientDriven && (state === 'queued' || state === 'interrupted')) {
    await awaitClient(engine, scheduler, operation);
    return;
  }
  if (state === 'queued' || isResuming(operation.record)) scheduler.submit(operation);
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

async function reconcileWithDisk(engine: Engine, operation: ActiveOperation): Promise<void> {
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

/** Shows which operations wait for a pool. The reason is not stored. */
export function publishUnavailable(engine: Engine): void {
  for (const operation of engine.active.values()) {
    const { state } = operation.record;
    if (engine.isPoolReady(operation.input.poolId) || (state !== 'interrupted' && state !== 'queued'))
      continue;
    operation.record = { ...operation.record, stateReason: { code: 'pool_unavailable' } };
    engine.hub.put(operation.record);
  }
}

/** Interval of the checks for space to resume paused operations. */
const spacePollMs = 3_000;

/** Resumes operations that a full disk paused, once there is space. Ends when `signal` aborts. */
export async function watchFreeSpace(
  engine: Engine,
  scheduler: Scheduler,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(spacePollMs, undefined, { signal, ref: false }).catch(() => {});
    for (const operation of engine.active.values()) {
      const { state, stateReason } = operation.record;
      if (signal.aborted || state !== 'paused' || stateReason?.code !== 'no_space') continue;
      await resumeIfSpace(engine, scheduler, operation).catch((error: unknown) =>
        engine.onError(error, { stage: `operation ${operation.id}: free space` }),
      );
    }
  }
}

/** Space for metadata. */
const spaceMarginBytes = 1024 ** 2;
const maxSpacePauseMs = 60_000;

async function resumeIfSpace(
  engine: Engine,
  scheduler: Scheduler,
  operation: ActiveOperation,
): Promise<void> {
  if (!engine.isPoolReady(operation.input.poolId) || scheduler.isWaiting(operation) || operation.hasSlot)
    return;
  const nowMs = engine.clock.monotonicMs();
  const { atMs, pauseMs } = operation.spaceRetry;
  if (nowMs < atMs + pauseMs) return;
  const space = await operation.action.space?.(operation);
  if (space !== undefined && space.freeBytes < space.needsBytes + spaceMarginBytes) return;
  // If the disk is full again at once, the attempts must not fill the log.
  operation.spaceRetry = {
    atMs: nowMs,
    pauseMs: Math.min(Math.max(pauseMs * 2, spacePollMs), maxSpacePauseMs),
  };
  scheduler.submit(operation);
}
