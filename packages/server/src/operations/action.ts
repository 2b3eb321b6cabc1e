import type { Snapshot } from '@wcc/progress';
import type { Principal } from '../access/principal.ts';
import type { WriteStatement } from '../storage/store.ts';
import type { OperationRecord } from './record.ts';
import type { StartHooks, Work, WorkResult } from './work.ts';

/** What an operation was asked to do: JSON in the store, read again after a restart. Never holds a secret. */
export interface OperationInput {
  /** The pool whose queue it waits in. */
  poolId: string;
  [field: string]: unknown;
}

/** An operation as an action sees it. */
export interface OperationView {
  readonly id: string;
  readonly input: OperationInput;
  readonly record: OperationRecord;
}

/** What belongs into the one batch that ends an operation well. */
export interface Completion {
  statements: readonly WriteStatement[];
  result: NonNullable<Snapshot['result']>;
  target: Snapshot['target'];
}

export type Settlement = 'published' | 'resumable' | 'nothing';

/**
 * One kind of long work. The engine of operations owns states, queue, records and their durability; the
 * action owns what happens on the disk. Every call may be made again after a crash.
 */
export interface Action {
  readonly name: string;
  /**
   * Set when a client outside carries the work along by what it sends. Such an operation takes no place of its
   * pool's queue; while nobody sends it rests as `interrupted` (`waiting_for_client`), without work, and is
   * woken by its client: see `Driving`.
   */
  readonly driven?: {
    /** Whether it can reach its end without its client, because everything is there. */
    isComplete(operation: OperationView): Promise<boolean>;
  };
  /** True: its work can stop at a durable point and continue from it. @default false */
  readonly canPause?: boolean;
  /** False: it moves next to no data and begins at once, beside what runs in its pool. @default true */
  readonly waitsInLine?: boolean | ((input: OperationInput) => boolean);
  /** Names of its phases, in order. */
  phases(input: OperationInput): readonly string[];
  /** Begins, or goes on from what is durable. Rejects with `WorkFailure` when that is impossible. */
  start(operation: OperationView, hooks: StartHooks): Promise<Work>;
  /** Looks at the disk after a crash: was it published, can it go on? */
  settle(operation: OperationView): Promise<Settlement>;
  /** Units that are durable on the disk; `null` when nothing is known. */
  durable(operation: OperationView): Promise<{ phase: string; done: number } | null>;
  /** Rows that register what was made; `result` is null when only the disk tells that it was published. */
  complete(operation: OperationView, result: WorkResult | null): Promise<Completion>;
  /** Space that it still needs, and that is there for it; asked while it is paused for want of space. */
  room(operation: OperationView): Promise<{ needsBytes: number; freeBytes: number }>;
  /** Removes what a failed or cancelled operation left on the disk. */
  clean(operation: OperationView): Promise<void>;
  /** Rows that change with a bad end, in its batch; asked after `clean`, whether that succeeded or not. */
  abandon?(operation: OperationView): readonly WriteStatement[];
  /** Removes what is needed no more once a good end is in the store. */
  forget(operation: OperationView): Promise<void>;
  /** The same inputs once more, as a new operation. */
  retry(operation: OperationView, request: RetryRequest): Promise<Snapshot>;
}

export interface RetryRequest {
  principal: Principal;
  idempotencyKey: string | null;
}
