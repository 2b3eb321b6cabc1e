import type { May, Operation } from '@wcc/api';
import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { isOperationId, mayInState, publicSnapshot } from '@wcc/progress/protocol';
import type { Hub, OnError } from '@wcc/progress/server';
import type { Principal } from '../access/principal.ts';
import { can, scopeOf } from '../access/rules.ts';
import type { Subject } from '../access/rules.ts';
import type { RetentionClock } from '../storage/retention-clock.ts';
import type { Store } from '../storage/store.ts';
import type { Acceptance } from './accept.ts';
import { accept } from './accept.ts';
import type { Action, OperationInput } from './action.ts';
import { systemClock } from '../concurrency/clock.ts';
import type { Clock } from '../concurrency/clock.ts';
import { registerLateResult } from './reconcile.ts';
import { cancel, failWaiting, pause, refusal, resume, stopAll } from './control.ts';
import type { ControlRequest } from './control.ts';
import type { Engine, GrantedLevel, NeededOperations, OnState } from './engine.ts';
import { createClientDriven } from './client-driven.ts';
import type { ClientDriven } from './client-driven.ts';
import { createIdempotency } from './idempotency.ts';
import type { Idempotency } from './idempotency.ts';
import { listOperations } from './listing.ts';
import type { OperationFilter } from './listing.ts';
import { capabilitiesOf, mayOperate } from './permissions.ts';
import { createPublishing } from './published/publishing.ts';
import type { Publishing } from './published/publishing.ts';
import { adopt, recoverPool, publishRecentEnds, publishUnavailable, watchFailures } from './recover.ts';
import { isOwn, isPublished, readRow, readUnfinished, storedSnapshot } from './rows.ts';
import { startPurge } from './purge.ts';
import { storeRunningTimes } from './running-time.ts';
import { createScheduler } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';

export interface OperationsOptions {
  store: Store;
  hub: Hub;
  onError: OnError;
  /** @default no call */
  onState?: OnState;
  /** @default no grants */
  granted?: GrantedLevel;
  clock?: Clock;
  retention: RetentionClock;
  /** Slots of each pool: operations that move data at the same time. @default 2 */
  maxRunningPerPool?: number;
  /** False: nothing is started in the pool. */
  isPoolReady: (poolId: string) => boolean;
}

/** Runs every long action: records, queue, states, control and recovery. */
export interface Operations {
  /** Adds an action. Call it before anything is accepted or recovered. */
  register<Input extends OperationInput>(action: Action<Input>): void;
  /** Adds a part of wcc that reads operations after their end. Their rows are not deleted. */
  addNeeded(source: NeededOperations): void;
  /** Ages of stored things. */
  readonly retention: RetentionClock;
  accept(wanted: Acceptance): Promise<Snapshot>;
  readonly idempotency: Idempotency;
  /** Operations that other programs carry out. */
  readonly publishing: Publishing;
  /** Operations for which a client sends the data. */
  readonly clientDriven: ClientDriven;
  /** The newest snapshot, from memory or the store. Does not check rights. */
  snapshot(id: string): Promise<Snapshot | undefined>;
  /**
   * The same, but it reads the store in any case. Use it where an operation may be forbidden: the time of the answer must
   * not reveal that it is in memory.
   */
  lookup(id: string): Promise<Snapshot | undefined>;
  /** What this principal may do with the operation now. */
  may(snapshot: Snapshot, principal: Principal): May;
  /** The snapshot with the rights of this principal; for a share link the public form, without `may`. */
  describe(snapshot: Snapshot, principal: Principal): Operation;
  /** The snapshot, if this principal may see it. @throws ApiError `not_found` */
  get(id: string, principal: Principal): Promise<Snapshot>;
  list(filter: Omit<OperationFilter, 'visible'>, principal: Principal): ReturnType<typeof listOperations>;
  log(id: string, principal: Principal): Promise<{ at: string; kind: string; text: string }[]>;
  cancel(id: string, principal: Principal): Promise<Snapshot>;
  pause(id: string, principal: Principal): Promise<Snapshot>;
  resume(id: string, principal: Principal): Promise<Snapshot>;
  retry(id: string, principal: Principal, idempotencyKey: string | null): Promise<Snapshot>;
  /** Ends an operation that waits for its pool as failed. Does nothing while its work runs. */
  failWaiting(id: string, reason: ApiError): Promise<void>;
  /** True while the operation has not ended. */
  isLive(id: string): boolean;
  /** Restores the operations of an earlier process. Call it before the first request. */
  adopt(): Promise<void>;
  /** Resumes the operations of a pool that is available, or available again. */
  recoverPool(poolId: string, options?: { becameReady: boolean }): Promise<void>;
  /** Registers the result of an ended operation that did not succeed, if the disk has it. @returns false if it has not */
  registerLateResult(id: string): Promise<boolean>;
  /** Shows which operations wait for an unavailable pool. */
  publishUnavailable(): void;
  /** Running work checkpoints and becomes `interrupted`; nothing else starts. Takes at most 10 s. */
  stop(): Promise<void>;
}

export function createOperations(options: OperationsOptions): Operations {
  const engine = createEngine(options, (poolId) => scheduler.pump(poolId));
  const scheduler: Scheduler = createScheduler(engine);
  const ending = new AbortController();
  watchFailures(engine, scheduler, ending.signal).catch((error: unknown) =>
    engine.onError(error, { stage: 'operations: paused operations' }),
  );
  const idempotency = createIdempotency(engine, (id) => find(engine, id));
  const publishing = createPublishing(engine, idempotency);
  let stopTimers: (() => void)[] = [];
  return {
    // The store holds the inputs of all actions: each is read back by the action that wrote it.
    register: (action) => void engine.actions.set(action.name, action),
    addNeeded: (source) => void engine.needed.push(source),
    retention: engine.retention,
    accept: (wanted) => accept(engine, scheduler, wanted),
    idempotency,
    publishing,
    clientDriven: createClientDriven(engine),
    snapshot: (id) => find(engine, id),
    lookup: (id) => lookup(engine, id),
    may: (snapshot, principal) => may(engine, snapshot, principal),
    describe: (snapshot, principal) => describe(engine, snapshot, principal),
    get: (id, principal) => watchable(engine, id, principal),
    list: (filter, principal) =>
      listOperations(engine, { ...filter, visible: scopeOf(principal, 'operation.watch') }),
    log: (id, principal) => readLog(engine, id, principal),
    ...verbs(engine, scheduler, publishing),
    isLive: (id) => engine.active.has(id),
    async adopt() {
      const rows = await readUnfinished(engine.store);
      await adopt(engine, rows.filter(isOwn));
      await publishing.adopt(rows.filter(isPublished));
      await publishRecentEnds(engine);
      stopTimers = [startPurge(engine), storeRunningTimes(engine)];
    },
    recoverPool: (poolId, { becameReady } = { becameReady: false }) =>
      recoverPool(engine, scheduler, { poolId, becameReady }),
    registerLateResult: (id) => registerLateResult(engine, id),
    publishUnavailable: () => publishUnavailable(engine),
    stop: async () => {
      ending.abort();
      for (const stopTimer of stopTimers) stopTimer();
      engine.isStopping = true;
      await Promise.all([stopAll(engine), publishing.stop()]);
    },
  };
}

function createEngine(options: OperationsOptions, pump: Engine['pump']): Engine {
  return {
    store: options.store,
    hub: options.hub,
    onError: options.onError,
    onState: options.onState ?? (() => {}),
    granted: options.granted ?? (() => null),
    clock: options.clock ?? systemClock,
    retention: options.retention,
    needed: [],
    actions: new Map(),
    active: new Map(),
    isPoolReady: options.isPoolReady,
    maxRunningPerPool: options.maxRunningPerPool ?? 2,
    pump,
    isStopping: false,
  };
}

function verbs(
  engine: Engine,
  scheduler: Scheduler,
  publishing: Publishing,
): Pick<Operations, 'cancel' | 'pause' | 'resume' | 'retry' | 'failWaiting'> {
  type Verb = 'cancel' | 'pause' | 'resume';
  const carryOut = { cancel, pause, resume } satisfies Record<
    Verb,
    (engine: Engine, scheduler: Scheduler, request: ControlRequest) => Promise<Snapshot>
  >;
  const control =
    (verb: Verb) =>
    async (id: string, principal: Principal): Promise<Snapshot> => {
      const snapshot = await controllable(engine, id, principal);
      const cancelled = verb === 'cancel' ? publishing.cancel(id, principal) : null;
      if (cancelled !== null) return cancelled;
      const operation = engine.active.get(id);
      if (operation) return carryOut[verb](engine, scheduler, { operation, principal });
      // A repeated cancel is not an error: the operation already has the requested state.
      if (verb === 'cancel' && snapshot.state === 'cancelled') return snapshot;
      throw refusal(verb, snapshot);
    };
  return {
    cancel: control('cancel'),
    pause: control('pause'),
    resume: control('resume'),
    failWaiting: (id, reason) => failWaiting(engine, scheduler, { id, reason }),
    async retry(id, principal, idempotencyKey) {
      const snapshot = await controllable(engine, id, principal);
      const action = engine.actions.get(snapshot.action);
      if (!mayInState(snapshot, 'retry', capabilitiesOf(action)) || !isTerminal(snapshot.state))
        throw refusal('retry', snapshot);
      const row = await readRow(engine.store, id);
      if (row === null) throw new ApiError('not_found');
      // A published operation can be repeated only by its program, and an unknown action by no one.
      if (!isOwn(row) || action === undefined) throw refusal('retry', snapshot);
      return action.retry(row, { principal, idempotencyKey, retryOf: id });
    },
  };
}

async function find(engine: Engine, id: string): Promise<Snapshot | undefined> {
  if (!isOperationId(id)) return undefined;
  const snapshot = engine.hub.get(id);
  if (snapshot) return snapshot;
  const row = await readRow(engine.store, id);
  return row === null ? undefined : storedSnapshot(row);
}

async function lookup(engine: Engine, id: string): Promise<Snapshot | undefined> {
  if (!isOperationId(id)) return undefined;
  const row = await readRow(engine.store, id);
  return engine.hub.get(id) ?? (row === null ? undefined : storedSnapshot(row));
}

function subjectOf({ granted }: Engine, { id, owner }: Snapshot, { userId }: Principal): Subject {
  return { owner, operationId: id, granted: granted(id, userId) };
}

function describe(engine: Engine, snapshot: Snapshot, principal: Principal): Operation {
  if (principal.limitedTo !== null) return publicSnapshot(snapshot);
  return { ...snapshot, may: may(engine, snapshot, principal) };
}

function may(engine: Engine, snapshot: Snapshot, principal: Principal): May {
  const granted = engine.granted(snapshot.id, principal.userId);
  const capabilities = capabilitiesOf(engine.actions.get(snapshot.action));
  return mayOperate(principal, snapshot, { granted, capabilities });
}

/** Unknown and forbidden operations are both `not_found`. */
async function watchable(engine: Engine, id: string, principal: Principal): Promise<Snapshot> {
  const mayWatch = (snapshot: Snapshot | undefined): snapshot is Snapshot =>
    snapshot !== undefined && can(principal, 'operation.watch', subjectOf(engine, snapshot, principal));
  const current = engine.hub.get(id);
  if (mayWatch(current)) return current;
  const found = await lookup(engine, id);
  if (mayWatch(found)) return found;
  throw new ApiError('not_found');
}

async function controllable(engine: Engine, id: string, principal: Principal): Promise<Snapshot> {
  const snapshot = await watchable(engine, id, principal);
  if (can(principal, 'operation.control', subjectOf(engine, snapshot, principal))) return snapshot;
  throw new ApiError('forbidden');
}

async function readLog(
  engine: Engine,
  id: string,
  principal: Principal,
): Promise<{ at: string; kind: string; text: string }[]> {
  await watchable(engine, id, principal);
  // The log names people, so a share link does not show it.
  if (principal.limitedTo !== null) throw new ApiError('not_found');
  return engine.store.db
    .selectFrom('operationLog')
    .select(['at', 'kind', 'text'])
    .where('operationId', '=', id)
    .orderBy('number')
    .execute();
}
