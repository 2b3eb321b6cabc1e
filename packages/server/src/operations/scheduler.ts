import type { Engine } from './engine.ts';
import type { ActiveOperation } from './active-operation.ts';
import { createFairQueue } from './queue.ts';
import type { FairQueue, QueueEntry } from './queue.ts';
import { run } from './run.ts';

/**
 * One queue per pool and lane: at most N operations have a slot, the rest wait and show their position. One more
 * starts while other owners wait, if one owner has all slots or the running ones are slow by request.
 */
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

/** Slots of the disk, or slots for what waits for a network. */
type Lane = 'disk' | 'network';

const lanes: readonly Lane[] = ['disk', 'network'];
/** A waiting import costs a connection and some memory, so more of them may run than copies. */
const networkSlots = 8;

function laneOf({ action }: ActiveOperation): Lane {
  return action.isNetworkBound === true ? 'network' : 'disk';
}

function slotsOf(engine: Engine, lane: Lane): number {
  return lane === 'disk' ? engine.maxRunningPerPool : Math.max(networkSlots, engine.maxRunningPerPool);
}

function createQueues(): (poolId: string, lane: Lane) => FairQueue {
  const queues = new Map<string, FairQueue>();
  return (poolId, lane) => {
    const key = `${lane} ${poolId}`;
    const queue = queues.get(key) ?? createFairQueue();
    queues.set(key, queue);
    return queue;
  };
}

export function createScheduler(engine: Engine): Scheduler {
  const queueIn = createQueues();
  const queueOf = (operation: ActiveOperation): FairQueue =>
    queueIn(operation.input.poolId, laneOf(operation));
  function pump(poolId: string): void {
    for (const lane of lanes) pumpLane(poolId, lane);
  }
  function pumpLane(poolId: string, lane: Lane): void {
    const queue = queueIn(poolId, lane);
    const slots = slotsOf(engine, lane);
    while (!engine.isStopping && engine.isPoolReady(poolId)) {
      const running = runningIn(engine, poolId, lane);
      const throttled = ownersOf(running.filter(isThrottled));
      const entry = queue.take(ownersOf(running), slots, { throttled });
      if (entry === null) break;
      const operation = engine.active.get(entry.id);
      if (operation) start(operation);
    }
    publishQueuePositions(engine, queue.order(ownersOf(runningIn(engine, poolId, lane))), { poolId, slots });
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
    queueOf(operation).add(entryOf(operation), { first: true });
    pump(operation.input.poolId);
  }

  return {
    submit(operation, options = {}) {
      if (operation.action.clientDriven) return startUnqueued(engine, operation);
      const queue = queueOf(operation);
      if (operation.hasSlot || queue.has(operation.id)) return;
      if (skipsQueue(engine, operation)) return start(operation);
      queue.add(entryOf(operation), options);
      pump(operation.input.poolId);
    },
    withdraw(operation) {
      if (queueOf(operation).remove(operation.id)) pump(operation.input.poolId);
    },
    isWaiting: (operation) => queueOf(operation).has(operation.id),
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
function publishQueuePositions(
  engine: Engine,
  order: readonly { id: string }[],
  { poolId, slots }: { poolId: string; slots: number },
): void {
  const code = engine.isPoolReady(poolId) ? 'waiting_for_place' : 'pool_unavailable';
  const params = code === 'waiting_for_place' ? { limit: slots } : {};
  for (const [index, { id }] of order.entries()) {
    const operation = engine.active.get(id);
    if (operation?.record.state !== 'queued') continue;
    operation.record = { ...operation.record, queuePosition: index + 1, stateReason: { code, params } };
    engine.hub.put(operation.record);
  }
}

/** The operations that have a slot. */
function runningIn(engine: Engine, poolId: string, lane: Lane): ActiveOperation[] {
  return [...engine.active.values()]
    .filter((operation) => operation.hasSlot && operation.input.poolId === poolId && needsSlot(operation))
    .filter((operation) => laneOf(operation) === lane);
}

/** One entry per operation. */
function ownersOf(operations: readonly ActiveOperation[]): string[] {
  return operations.map(({ record }) => record.owner);
}

/** Work with a lower limit leaves most of the disk to others, so it does not keep them out. */
const leastBytesPerSecond = 16 * 1024 ** 2;

function isThrottled({ action, input }: ActiveOperation): boolean {
  return (action.limitOf?.(input) ?? leastBytesPerSecond) < leastBytesPerSecond;
}
