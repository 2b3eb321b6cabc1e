import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationInput } from './action.ts';
import { commit } from './commit.ts';
import { stopWork } from './control.ts';
import { endSucceeded } from './end.ts';
import type { Engine } from './engine.ts';
import { createLive, isResuming } from './active-operation.ts';
import type { Live } from './active-operation.ts';
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
    const live = await takeOver(engine, row);
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
export async function showRecentEnds(engine: Engine): Promise<void> {
  const since = new Date(Date.now() - recentMs).toISOString();
  for (const { record } of await readEndedSince(engine.store, since)) engine.hub.put(record);
}

/** Null for an action that this program does not know: it stays as it is for one that does. */
async function takeOver(engine: Engine, row: OperationRow<OperationInput>): Promise<Live | null> {
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
  const live = createLive({ action, input, record, rev, logNumber, isTakenOver: true });
  engine.live.set(live.id, live);
  return live;
}

/**
 * What follows once a pool is there: published copies are ended, cancelled ones cleaned, the others go on or
 * wait as before. Called at the start and whenever a pool comes back.
 */
export async function recoverPool(engine: Engine, scheduler: Scheduler, poolId: string): Promise<void> {
  const waiting = [...engine.live.values()].filter(
    (live) => live.input.poolId === poolId && live.work === null && !live.holdsPlace,
  );
  for (const live of waiting) {
    await settle(engine, scheduler, live).catch((error: unknown) =>
      engine.onError(error, { stage: `operation ${live.id}: recovery` }),
    );
  }
  scheduler.pump(poolId);
}

async function settle(engine: Engine, scheduler: Scheduler, live: Live): Promise<void> {
  if (scheduler.isWaiting(live)) return;
  await live.exclusive(() => settleOnDisk(engine, live));
  if (!engine.live.has(live.id)) return;
  const { state } = live.record;
  if (state === 'cancelling') stopWork(engine, live);
  if (live.action.clientDriven && (state === 'queued' || state === 'interrupted')) {
    await letRest(engine, scheduler, live);
    return;
  }
  if (state === 'queued' || isResuming(live.record)) scheduler.submit(live);
  if (state === 'interrupted') scheduler.submit(live, { first: true });
}

/** Waits for its client, unless nothing is left for that to do. Told, not stored. */
async function letRest(engine: Engine, scheduler: Scheduler, live: Live): Promise<void> {
  if ((await live.action.clientDriven?.isComplete(live)) === true) scheduler.submit(live);
  else if (live.work === null) {
    live.record = { ...live.record, stateReason: { code: 'waiting_for_client' } };
    engine.hub.put(live.record);
  }
}

async function settleOnDisk(engine: Engine, live: Live): Promise<void> {
  const { state } = live.record;
  if (live.work !== null || !engine.live.has(live.id) || state === 'queued' || state === 'running') return;
  if ((await live.action.reconcile?.(live)) === 'published') {
    await endSucceeded(engine, live, {
      result: null,
      log: [{ kind: 'note', text: 'published before the server stopped' }],
    });
    return;
  }
  // Numbers never fall while the process lives: only those that another process wrote are looked up.
  if (!live.isTakenOver || (state !== 'interrupted' && state !== 'paused')) return;
  live.isTakenOver = false;
  live.record = fallBack(live.record, (await live.action.durableProgress?.(live)) ?? null);
  engine.hub.put(live.record);
}

/** Says of operations that wait for a pool to come back what they wait for. Told, not stored. */
export function tellUnavailable(engine: Engine): void {
  for (const live of engine.live.values()) {
    const { state } = live.record;
    if (engine.isPoolReady(live.input.poolId) || (state !== 'interrupted' && state !== 'queued')) continue;
    live.record = { ...live.record, stateReason: { code: 'pool_unavailable' } };
    engine.hub.put(live.record);
  }
}

/** How often it is looked whether there is room again for what is paused for want of it. */
const roomLookMs = 3_000;

/** Lets operations go on that a full disk had paused, as soon as there is room. Ends when `signal` aborts. */
export async function watchRoom(engine: Engine, scheduler: Scheduler, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(roomLookMs, undefined, { signal, ref: false }).catch(() => {});
    for (const live of engine.live.values()) {
      const { state, stateReason } = live.record;
      if (signal.aborted || state !== 'paused' || stateReason?.code !== 'no_space') continue;
      await goOnIfRoom(engine, scheduler, live).catch((error: unknown) =>
        engine.onError(error, { stage: `operation ${live.id}: room` }),
      );
    }
  }
}

/** Metadata takes some room as well. */
const roomMarginBytes = 1024 ** 2;
const longestRoomPauseMs = 60_000;

async function goOnIfRoom(engine: Engine, scheduler: Scheduler, live: Live): Promise<void> {
  if (!engine.isPoolReady(live.input.poolId) || scheduler.isWaiting(live) || live.holdsPlace) return;
  const nowMs = engine.clock.monotonicMs();
  const { atMs, pauseMs } = live.roomTry;
  if (nowMs < atMs + pauseMs) return;
  const space = await live.action.space?.(live);
  if (space !== undefined && space.freeBytes < space.needsBytes + roomMarginBytes) return;
  // A disk that is full again at once must not fill the log with attempts.
  live.roomTry = { atMs: nowMs, pauseMs: Math.min(Math.max(pauseMs * 2, roomLookMs), longestRoomPauseMs) };
  scheduler.submit(live);
}
