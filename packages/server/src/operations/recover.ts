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
 * Takes over what an earlier process left: every operation that had not ended is live again, in the order in
 * which it was accepted; those that ran become `interrupted`. Nothing on the disk is touched yet.
 */
export async function adopt(engine: Engine, rows: readonly OperationRow<OperationInput>[]): Promise<void> {
  for (const row of rows) {
    const live = await restore(engine, row);
    if (live === null) continue;
    if (live.record.state !== 'running') {
      engine.hub.put(live.record);
      continue;
    }
    const record = withState(live.record, 'interrupted', { code: 'server_restarted' });
    await live.exclusive(() =>
      commit(engine, live, { record, log: [{ kind: 'state', text: 'interrupted: the server was killed' }] }),
    );
  }
}

/** Those who watched see the ends that they missed. */
export async function publishRecentEnds(engine: Engine): Promise<void> {
  const since = new Date(Date.now() - recentMs).toISOString();
  for (const { record } of await readEndedSince(engine.store, since)) engine.hub.put(record);
}

/** Null for an action that this program does not know: it stays as it is for one that does. */
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
  // What is durable is known when the disk has been looked at. Within an epoch numbers only rise.
  const record = { ...fallBack(row.record, null), sinceProgressMs: 0, queuePosition: null };
  const live = createActiveOperation({ action, input, record, rev, logNumber, isRecovered: true });
  engine.active.set(live.id, live);
  return live;
}

/**
 * What follows once a pool is there: published copies are ended, cancelled ones cleaned, the others go on or
 * wait as before. Called at the start and whenever a pool comes back.
 */
export async function recoverPool(engine: Engine, scheduler: Scheduler, poolId: string): Promise<void> {
  const waiting = [...engine.active.values()].filter(
    (live) => live.input.poolId === poolId && live.work === null && !live.hasSlot,
  );
  for (const live of waiting) {
    await recoverOperation(engine, scheduler, live).catch((error: unknown) =>
      engine.onError(error, { stage: `operation ${live.id}: recovery` }),
    );
  }
  scheduler.pump(poolId);
}

async function recoverOperation(engine: Engine, scheduler: Scheduler, live: ActiveOperation): Promise<void> {
  if (scheduler.isWaiting(live)) return;
  await live.exclusive(() => reconcileWithDisk(engine, live));
  if (!engine.active.has(live.id)) return;
  const { state } = live.record;
  if (state === 'cancelling') stopWork(engine, live);
  if (live.action.clientDriven && (state === 'queued' || state === 'interrupted')) {
    await awaitClient(engine, scheduler, live);
    return;
  }
  if (state === 'queued' || isResuming(live.record)) scheduler.submit(live);
  if (state === 'interrupted') scheduler.submit(live, { first: true });
}

/** Waits for its client, unless nothing is left for that to do. Told, not stored. */
async function awaitClient(engine: Engine, scheduler: Scheduler, live: ActiveOperation): Promise<void> {
  if ((await live.action.clientDriven?.isComplete(live)) === true) scheduler.submit(live);
  else if (live.work === null) {
    live.record = { ...live.record, stateReason: { code: 'waiting_for_client' } };
    engine.hub.put(live.record);
  }
}

async function reconcileWithDisk(engine: Engine, live: ActiveOperation): Promise<void> {
  const { state } = live.record;
  if (live.work !== null || !engine.active.has(live.id) || state === 'queued' || state === 'running') return;
  if ((await live.action.reconcile?.(live)) === 'published') {
    await endSucceeded(engine, live, {
      result: null,
      log: [{ kind: 'note', text: 'published before the server stopped' }],
    });
    return;
  }
  // Numbers never fall while the process lives: only those that another process wrote are looked up.
  if (!live.isRecovered || (state !== 'interrupted' && state !== 'paused')) return;
  live.isRecovered = false;
  live.record = fallBack(live.record, (await live.action.durableProgress?.(live)) ?? null);
  engine.hub.put(live.record);
}

/** Says of operations that wait for a pool to come back what they wait for. Told, not stored. */
export function publishUnavailable(engine: Engine): void {
  for (const live of engine.active.values()) {
    const { state } = live.record;
    if (engine.isPoolReady(live.input.poolId) || (state !== 'interrupted' && state !== 'queued')) continue;
    live.record = { ...live.record, stateReason: { code: 'pool_unavailable' } };
    engine.hub.put(live.record);
  }
}

/** How often it is looked whether there is room again for what is paused for want of it. */
const spacePollMs = 3_000;

/** Lets operations go on that a full disk had paused, as soon as there is room. Ends when `signal` aborts. */
export async function watchFreeSpace(
  engine: Engine,
  scheduler: Scheduler,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(spacePollMs, undefined, { signal, ref: false }).catch(() => {});
    for (const live of engine.active.values()) {
      const { state, stateReason } = live.record;
      if (signal.aborted || state !== 'paused' || stateReason?.code !== 'no_space') continue;
      await resumeIfSpace(engine, scheduler, live).catch((error: unknown) =>
        engine.onError(error, { stage: `operation ${live.id}: room` }),
      );
    }
  }
}

/** Metadata takes some room as well. */
const spaceMarginBytes = 1024 ** 2;
const longestSpacePauseMs = 60_000;

async function resumeIfSpace(engine: Engine, scheduler: Scheduler, live: ActiveOperation): Promise<void> {
  if (!engine.isPoolReady(live.input.poolId) || scheduler.isWaiting(live) || live.hasSlot) return;
  const nowMs = engine.clock.monotonicMs();
  const { atMs, pauseMs } = live.spaceRetry;
  if (nowMs < atMs + pauseMs) return;
  const space = await live.action.space?.(live);
  if (space !== undefined && space.freeBytes < space.needsBytes + spaceMarginBytes) return;
  // A disk that is full again at once must not fill the log with attempts.
  live.spaceRetry = {
    atMs: nowMs,
    pauseMs: Math.min(Math.max(pauseMs * 2, spacePollMs), longestSpacePauseMs),
  };
  scheduler.submit(live);
}
