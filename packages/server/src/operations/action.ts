import type { ByteCounts, Phase, Snapshot } from '@wcc/progress';
import type { Principal } from '../access/principal.ts';
import type { WriteStatement } from '../storage/store.ts';
import type { OperationRecord } from './record.ts';

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

/** The numbers of running work, read without waiting: at most ten times a second. */
export interface WorkProgress {
  /** Name of the phase that the numbers belong to. */
  phase: string;
  done: number;
  durable: number;
  total: number | null;
  bytes: ByteCounts | null;
  sinceProgressMs: number;
  phaseElapsedMs: number;
}

/** A phase has begun. */
export interface PhaseEvent {
  phase: string;
  unit: Phase['unit'];
  total: number | null;
  method?: Snapshot['method'];
  /** Phases that were entered and came to nothing, e.g. a clone that the file system refused. */
  skipped?: readonly string[];
  /** Lines for the operation's log, e.g. from where it goes on. */
  notes?: readonly string[];
}

/** What the work tells at its good end. */
export interface WorkResult {
  bytes: ByteCounts | null;
  method: Snapshot['method'];
  warnings: readonly string[];
  phases: readonly { name: string; elapsedMs: number }[];
}

/** Work that moves bytes. Everything here returns at once. */
export interface Work {
  /** Rejects with `WorkFailure`. */
  readonly done: Promise<WorkResult>;
  progress(): WorkProgress;
  cancel(): void;
  /** Checkpoint and stop; `done` rejects with `interrupted`. */
  interrupt(): void;
  pause(): void;
  resume(): void;
}

/** What belongs into the one batch that ends an operation well. */
export interface Completion {
  statements: readonly WriteStatement[];
  result: NonNullable<Snapshot['result']>;
  target: Snapshot['target'];
}

export type Settlement = 'published' | 'resumable' | 'nothing';

export interface StartHooks {
  onPhase(event: PhaseEvent): void;
  /** Something that whoever watches should know while it runs, by its code; told once. */
  onWarning(code: string): void;
}

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

/** Why work ended without a result; `paused`: it can go on when the reason is gone. */
export type WorkFailureCode = 'cancelled' | 'interrupted' | 'paused' | 'failed';

/** How work ended badly, in the words of the API's error registry. */
export class WorkFailure extends Error {
  override readonly name = 'WorkFailure';
  readonly code: WorkFailureCode;
  readonly error: NonNullable<Snapshot['error']>;

  constructor(code: WorkFailureCode, options: WorkFailureOptions) {
    super(options.error.message, { cause: options.cause });
    this.code = code;
    this.error = options.error;
  }
}

export interface WorkFailureOptions {
  error: NonNullable<Snapshot['error']>;
  cause?: unknown;
}
