import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import { createFairQueue } from './queue.ts';
import type { FairQueue, QueueEntry } from './queue.ts';
import { run } from './run.ts';

/** One queue per pool: at most N operations have a slot, the rest wait and show their position. */
export interface Scheduler {
  /** Adds an operation to its owner's queue; `first`: before all others, because it ran before a restart. */
  submit(operation: ActiveOperation, options?: { first?: boolean }): void;
  withdraw(operation: ActiveOperation): void;
  isWaiting(operation: ActiveOperation): boolean;
  pump(poolId: string): void;
}

/** Pause after a start that could not be recorded. */
const retryStartMs = 1_000;

function entryOf(operation: ActiveOperation): QueueEntry {
  return { id: operation.id, owner: operation.record.owner };
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
      const operation = engine.active.get(entry.id);
      if (operation) start(operation);
    }
    publishQueuePositions(engine, queue.order(ownersOfRunning(engine, poolId)), poolId);
  }
  function start(operation: ActiveOperation): void {
    operation.hasSlot = true;
    run(engine, operation).catch((error: unknown) => {
      engine.onError(error, { stage: `operation ${operation.id}: start` });
      // It is still in its old state, so it waits for the next turn.
      setTimeout(() => startAgain(operation), retryStartMs).unref();
    });
  }
  function startAgain(operation: ActiveOperation): void {
    if (!engine.active.has(operation.id) || operation.hasSlot || operation.record.state === 'cancelling')
      return;
    queueOf(operation.input.poolId).add(entryOf(operation), { first: true });
    pump(operation.input.poolId);
  }

  return {
    submit(operation, options = {}) {
      if (operation.action.clientDriven) return startUnqueued(engine, operation);
      const queue = queueOf(operation.input.poolId);
      if (operation.hasSlot || queue.has(operation.id)) return;
      if (skipsQueue(engine, operation)) return start(operation);
      queue.add(entryOf(operation), options);
      pump(operation.input.poolId);
    },
    withdraw(operation) {
      if (queueOf(operation.input.poolId).remove(operation.id)) pump(operation.input.poolId);
    },
    isWaiting: (operation) => queueOf(operation.input.poolId).has(operation.id),
    pump,
  };
}

/** An operation that moves no data waits only for its pool. */
function skipsQueue(engine: Engine, operation: ActiveOperation): boolean {
  return !needsSlot(operation) && engine.isPoolReady(operation.input.poolId) && !engine.isStopping;
}

function needsSlot({ action, input }: ActiveOperation): boolean {
  return action.needsSlot?.(input) ?? true;
}

/** A client-driven operation needs no slot. If the start fails, the next request of the client starts it. */
function startUnqueued(engine: Engine, operation: ActiveOperation): void {
  run(engine, operation).catch((error: unknown) =>
    engine.onError(error, { stage: `operation ${operation.id}: start` }),
  );
}

/** Shows the positions in the queue; they are not stored. */
function publishQueuePositions(engine: Engine, order: readonly { id: string }[], poolId: string): void {
  const code = engine.isPoolReady(poolId) ? 'waiting_for_place' : 'pool_unavailable';
  const params = code === 'waiting_for_place' ? { limit: engine.maxRunningPerPool } : {};
  for (const [index, { id }] of order.entries()) {
    const operation = engine.active.get(id);
    if (operation?.record.state !== 'queued') continue;
    operation.record = { ...operation.record, queuePosition: index + 1, stateReason: { code, params } };
    engine.hub.put(operation.record);
  }
}

/** One entry per operation that has a slot. */
function ownersOfRunning(engine: Engine, poolId: string): string[] {
  return [...engine.active.values()]
    .filter((operation) => operation.hasSlot && operation.input.poolId === poolId && needsSlot(operation))
    .map(({ record }) => record.owner);
}
