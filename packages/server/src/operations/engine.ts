import type { GrantLevel } from '@wcc/api';
import type { Hub, OnError } from '@wcc/progress/server';
import type { Store } from '../storage/store.ts';
import type { Action } from './action.ts';
import type { Clock } from '../concurrency/clock.ts';
import type { RetentionClock } from '../storage/retention-clock.ts';
import type { ActiveOperation } from './active-operation.ts';
import type { OperationRecord } from './record.ts';

/** Called with every durable state of an operation, the first one included; for log and metrics. */
export type OnState = (record: OperationRecord) => void;

export type GrantedLevel = (operationId: string, userId: string) => GrantLevel | null;

/** Ids of operations whose rows something still needs, whatever their age. */
export type NeededOperations = () => Promise<readonly string[]>;

/** Shared by all parts of the engine of operations. */
export interface Engine {
  readonly store: Store;
  readonly hub: Hub;
  readonly clock: Clock;
  /** Ages of stored operations. */
  readonly retention: RetentionClock;
  /** Where operations are still needed after their end. */
  readonly needed: NeededOperations[];
  readonly onError: OnError;
  readonly onState: OnState;
  /** The grant of a user on an operation; answers without waiting. */
  readonly granted: GrantedLevel;
  /** The actions by name; filled before the first operation is accepted or recovered. */
  readonly actions: Map<string, Action>;
  /** Every operation that has not ended, by id. */
  readonly active: Map<string, ActiveOperation>;
  /** False: nothing is written into the pool. */
  readonly isPoolReady: (poolId: string) => boolean;
  readonly maxRunningPerPool: number;
  /** Starts what may start: a slot became free, or an operation joined the queue. */
  pump(poolId: string): void;
  /** True from `stop()` on: nothing starts. */
  isStopping: boolean;
}
