import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import { createFairQueue } from './queue.ts';
import type { FairQueue, QueueEntry } from './queue.ts';
import { run } from './run.ts';

/** One queue per pool: at most N operations move data in it, the rest wait with their place in line. */
export interface Scheduler {
  /** Joins the line of its owner; `first`: it ran before a restart, so it goes before all others. */
  submit(live: ActiveOperation, options?: { first?: boolean }): void;
  withdraw(live: ActiveOperation): void;
  isWaiting(live: ActiveOperation): boolean;
  pump(poolId: string): void;
}

/** After a start that could not be recorded. */
const retryStartMs = 1_000;

function entryOf(live: ActiveOperation): QueueEntry {
  return { id: live.id, owner: live.record.owner };
}

export function createScheduler(engine: Engine): Scheduler {
  const queues = new Map<string, FairQueue>();

  function queueOf(poolId: string): FairQueue {
    const queue = queues.get(poolId) ?? createFairQueue();
    queues.set(poolId, queue);
    return queue;
  }
  function pump(poolId: string): void {
    const queue = queueOf(poolId);
    while (
      !engine.isStopping &&
      engine.isPoolReady(poolId) &&
      ownersOfRunning(engine, poolId).length < engine.maxRunningPerPool
    ) {
      const entry = queue.take(ownersOfRunning(engine, poolId));
      if (entry === null) break;
      const live = engine.active.get(entry.id);
      if (live) start(live);
    }
    publishQueuePositions(engine, queue.order(ownersOfRunning(engine, poolId)), poolId);
  }
  function start(live: ActiveOperation): void {
    live.hasSlot = true;
    run(engine, live).catch((error: unknown) => {
      engine.onError(error, { stage: `operation ${live.id}: start` });
      // Still in its old state: it waits for the next turn, not for a restart.
      setTimeout(() => startAgain(live), retryStartMs).unref();
    });
  }
  function startAgain(live: ActiveOperation): void {
    if (!engine.active.has(live.id) || live.hasSlot || live.record.state === 'cancelling') return;
    queueOf(live.input.poolId).add(entryOf(live), { first: true });
    pump(live.input.poolId);
  }

  return {
    submit(live, options = {}) {
      if (live.action.clientDriven) return startUnqueued(engine, live);
      const queue = queueOf(live.input.poolId);
      if (live.hasSlot || queue.has(live.id)) return;
      if (skipsQueue(engine, live)) return start(live);
      queue.add(entryOf(live), options);
      pump(live.input.poolId);
    },
    withdraw(live) {
      if (queueOf(live.input.poolId).remove(live.id)) pump(live.input.poolId);
    },
    isWaiting: (live) => queueOf(live.input.poolId).has(live.id),
    pump,
  };
}

/** What moves no data waits for nobody, but for its pool to be there. */
function skipsQueue(engine: Engine, live: ActiveOperation): boolean {
  return !needsSlot(live) && engine.isPoolReady(live.input.poolId) && !engine.isStopping;
}

function needsSlot({ action, input }: ActiveOperation): boolean {
  return action.needsSlot?.(input) ?? true;
}

/** What its client drives waits for nobody else; should this fail, its client wakes it. */
function startUnqueued(engine: Engine, live: ActiveOperation): void {
  run(engine, live).catch((error: unknown) =>
    engine.onError(error, { stage: `operation ${live.id}: start` }),
  );
}

/** Places follow from the queue; they are told, not stored. */
function publishQueuePositions(engine: Engine, order: readonly { id: string }[], poolId: string): void {
  const code = engine.isPoolReady(poolId) ? 'waiting_for_place' : 'pool_unavailable';
  const params = code === 'waiting_for_place' ? { limit: engine.maxRunningPerPool } : {};
  for (const [index, { id }] of order.entries()) {
    const live = engine.active.get(id);
    if (live?.record.state !== 'queued') continue;
    live.record = { ...live.record, queuePosition: index + 1, stateReason: { code, params } };
    engine.hub.put(live.record);
  }
}

/** One entry per operation that takes a place. */
function ownersOfRunning(engine: Engine, poolId: string): string[] {
  return [...engine.active.values()]
    .filter((live) => live.hasSlot && live.input.poolId === poolId && needsSlot(live))
    .map(({ record }) => record.owner);
}
