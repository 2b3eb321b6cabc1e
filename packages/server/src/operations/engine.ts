import type { GrantLevel } from '@wcc/api';
import type { Hub, OnError } from '@wcc/progress/server';
import type { Store } from '../storage/store.ts';
import type { Action } from './action.ts';
import type { Clock } from '../concurrency/clock.ts';
import type { ActiveOperation } from './active-operation.ts';
import type { OperationRecord } from './record.ts';

/** Told of every state that an operation has reached durably, its first one included: for log and metrics. */
export type OnState = (record: OperationRecord) => void;

export type GrantedLevel = (operationId: string, userId: string) => GrantLevel | null;

/** What all parts of the engine of operations share. */
export interface Engine {
  readonly store: Store;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly onError: OnError;
  readonly onState: OnState;
  /** What was granted on an operation to a user; answered at once. */
  readonly granted: GrantedLevel;
  /** By name; filled before anything is accepted or recovered. */
  readonly actions: Map<string, Action>;
  /** Every operation that has not ended, by id. */
  readonly active: Map<string, ActiveOperation>;
  /** Nothing is written into a pool that is not there. */
  readonly isPoolReady: (poolId: string) => boolean;
  readonly maxRunningPerPool: number;
  /** A place became free or somebody joined the queue: starts what may start. */
  pump(poolId: string): void;
  /** True from `stop()` on: nothing starts any more. */
  isStopping: boolean;
}
