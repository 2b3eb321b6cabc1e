import type { Snapshot } from '@wcc/progress';
import type { Principal } from '../access/principal.ts';
import type { WriteStatement } from '../storage/store.ts';
import type { OperationRecord } from './record.ts';
import type { StartHooks, Work, WorkResult } from './work.ts';

/** The input of an operation: JSON in the store, read again after a restart. Never holds a secret. */
export interface OperationInput {
  /** The operation waits in the queue of this pool. */
  poolId: string;
  [field: string]: unknown;
}

/** An operation as an action sees it. */
export interface OperationView<Input extends OperationInput = OperationInput> {
  readonly id: string;
  readonly input: Input;
  readonly record: OperationRecord;
}

/** The rows and the result that a successful end writes in one batch. */
export interface Completion {
  statements: readonly WriteStatement[];
  result: NonNullable<Snapshot['result']>;
  target: Snapshot['target'];
  /** What is known of the result; the record has it also when the work itself ended with its process. @default none */
  warnings?: readonly string[];
}

/** The state of an operation on the disk after a crash. */
export type DiskState = 'published' | 'resumable' | 'nothing';

/**
 * One kind of long work. The engine of operations owns states, queue, records and their durability; the action owns
 * the files. Every call may be repeated after a crash.
 */
export interface Action<Input extends OperationInput = OperationInput> {
  readonly name: string;
  /**
   * Set when a client sends the data of the work. Such an operation takes no slot in the queue of its pool.
   * Without a request of its client it is `interrupted` (`waiting_for_client`) and has no work; the next request
   * starts it: see `ClientDriven`.
   */
  readonly clientDriven?: {
    /** Whether it can complete without its client, because all data has arrived. */
    isComplete(operation: OperationView<Input>): Promise<boolean>;
  };
  /** True: its work can stop at a durable point and continue from it. @default false */
  readonly canPause?: boolean;
  /**
   * True: after a storage failure that may pass, the operation is paused or interrupted, and its work can start again
   * from the files on the disk. @default false: the operation fails
   */
  readonly resumesAfterFailure?: boolean;
  /** False: it moves almost no data and starts at once, without a slot of its pool. @default true */
  needsSlot?(input: Input): boolean;
  /** True: it mostly waits for another server, so it takes a slot for networks, not one of the disk. @default false */
  isNetworkBound?: boolean;
  /** The requested limit of its speed, in bytes per second. @default null: none */
  limitOf?(input: Input): number | null;
  /** Names of its phases, in order. */
  phases(input: Input): readonly string[];
  /** Starts the work, or resumes it from its durable bytes. Rejects when that is impossible. */
  start(operation: OperationView<Input>, hooks: StartHooks): Promise<Work>;
  /**
   * Compares the operation with the disk after a crash, or when its pool becomes available again. @default `nothing`
   */
  reconcile?(operation: OperationView<Input>): Promise<DiskState>;
  /**
   * Whether the disk has the result of the work. Completes only what can no longer be undone. Asked before a failure or a
   * cancel is recorded, because the work may have failed after its publication. @default false
   */
  isPublished?(operation: OperationView<Input>): Promise<boolean>;
  /** Units that are durable on the disk. @default null: unknown, the work starts from zero */
  durableProgress?(operation: OperationView<Input>): Promise<{ phase: string; done: number } | null>;
  /** Rows that register the result. `result` is null after a crash, when only the disk proves the publication. */
  complete(operation: OperationView<Input>, result: WorkResult | null): Promise<Completion>;
  /**
   * While an operation is paused for space: the space that it still needs, and the space that it can use. @default
   * it needs no space
   */
  space?(operation: OperationView<Input>): Promise<SpaceNeed>;
  /** Removes files of a failed or cancelled operation. @default nothing to remove */
  cleanUp?(operation: OperationView<Input>): Promise<void>;
  /** Rows that a failure or a cancel writes; called after `cleanUp`, even if that failed. @default none */
  abandon?(operation: OperationView<Input>): readonly WriteStatement[];
  /**
   * Removes files that only a recovery after a crash would need, once success is in the store. @default nothing to
   * remove
   */
  discardCheckpoint?(operation: OperationView<Input>): Promise<void>;
  /** The same request again, as a new operation. */
  retry(operation: OperationView<Input>, request: RetryRequest): Promise<Snapshot>;
}

export interface SpaceNeed {
  needsBytes: number;
  freeBytes: number;
  /** Files that can still be created; null: without a limit. */
  freeInodes: number | null;
}

/** A hidden file, its checkpoint, the next checkpoint, and one to spare. */
const neededInodes = 4;

export function lacksInodes({ freeInodes }: SpaceNeed): boolean {
  return freeInodes !== null && freeInodes < neededInodes;
}

/** A request for a new operation: from a client, or the stored request of an operation to retry. */
export interface OperationRequest<Request> {
  principal: Principal;
  request: Request;
  idempotencyKey: string | null;
  /** Id of the operation that is retried; null: a first request. */
  retryOf: string | null;
}

export interface RetryRequest extends Omit<OperationRequest<never>, 'request'> {
  retryOf: string;
}
