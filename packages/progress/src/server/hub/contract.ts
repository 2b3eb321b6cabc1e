import type { MeterOptions, Snapshot, StateReason } from '@wcc/progress';
import type { GoneReason, SnapshotView } from '@wcc/progress/protocol';
import type { OnError } from '../on-error.ts';
import type { Operation, StartOptions } from './operation.ts';
import type { OperationRecord } from './record.ts';

/** Options of `createHub`. */
export interface HubOptions {
  /**
   * Identifies this hub. Must differ from all earlier ones, because clients accept any `seq` of a new epoch.
   * @default 128 random bits
   */
  epoch?: string;
  /**
   * Minimum time between two ticks. The hub extends it when the event loop is busy.
   * @default 100
   */
  tickMs?: number;
  /**
   * Options of the meter behind rate and ETA, by action. A shorter half-life follows a changing network sooner.
   * @default those of `createMeter`
   */
  meter?: (action: string) => MeterOptions;
  /** Monotonic clock in milliseconds. @default performance.now */
  now?: () => number;
  /** @default emits a process warning */
  onError?: OnError;
}

/**
 * The latest state of every operation. Publishers write and never wait. Watchers are notified once per tick with
 * the newest state; states in between are skipped.
 */
export interface Hub {
  readonly epoch: string;
  /**
   * Starts an operation that this process performs. The returned handle reports progress and the end. The id may be that
   * of an operation that another process left `interrupted`.
   *
   * @throws {ProgressError} `invalid_amount`, `invalid_record`, `operation_exists`, `hub_closed`
   */
  start(options: StartOptions): Operation;
  /**
   * Runs `work` as an operation: it ends as `succeeded` with the work, as `failed` with its error, and as `cancelled`
   * if the signal was aborted and the work throws. What the work returns is not shown to watchers; call
   * `op.succeed({ kind, id })` to name the result.
   *
   * @returns what `work` returns
   * @throws what `work` throws, and the errors of `start`. With an aborted signal the work does not begin
   */
  run<T>(options: StartOptions, work: (op: Operation) => T | Promise<T>): Promise<T>;
  /**
   * Asks the work of an operation of `start` or `run` to stop: it becomes `cancelling` at once, and its signal is
   * aborted. The work then ends it.
   *
   * @returns false if there is no such operation, or it has ended
   */
  abort(id: string, reason?: unknown): boolean;
  /**
   * Stores the current record of a host with records of its own. Increases `seq` if anything visible changed. An
   * ended operation keeps its state: another one is reported to `onError` and ignored. Numbers that cannot be and
   * fields that contradict the state are corrected and reported to `onError` (`invalid_record`, `done_decreased`,
   * `contradictory_record`).
   *
   * @returns the snapshot that watchers receive at the next tick
   * @throws {ProgressError} `hub_closed`; `invalid_record` if id, action, owner or state is missing
   */
  put(record: OperationRecord): Snapshot;
  /**
   * Reads the record at each tick, so the work itself never calls the hub. Stops when the operation ends.
   *
   * @param read returns the current record, or `null` if there is none
   * @returns a function that stops the reading
   */
  pull(id: string, read: () => OperationRecord | null): () => void;
  /** The newest snapshot, with full texts. Ended operations stay for more than ten minutes. */
  get(id: string): Snapshot | undefined;
  /** The newest snapshots of all operations. */
  list(): Iterable<Snapshot>;
  /** Removes an operation that was deleted or that no one may see any more. A handle of it has no effect then. */
  remove(id: string, why: GoneReason): void;
  /** Called when an operation was removed by `remove`. */
  onRemove(listener: (id: string, why: GoneReason) => void): () => void;
  /**
   * The serialised snapshot, at most 2 KiB. Each view is serialised once for all its watchers.
   * @param view @default 'full'
   */
  bytes(id: string, view?: SnapshotView): Buffer | undefined;
  /** Called at most once per tick with the ids of all changed operations. */
  onChange(listener: (ids: ReadonlySet<string>) => void): () => void;
  /** Called when ended operations are removed from memory; watchers keep their last snapshot. */
  onRetire(listener: (ids: readonly string[]) => void): () => void;
  /**
   * Takes snapshots of another hub, unchanged: epoch, `seq` and content stay. Watchers receive them now, not at the
   * next tick. Snapshots older than the known one are ignored, so they may arrive twice and in any order.
   *
   * An operation of this hub is never replaced, except an interrupted one that the other hub continues. An end is
   * final: another one is reported to `onError` and ignored.
   *
   * @param from names the other hub, for `markUnreachable` and `relayedFrom`
   * @throws {ProgressError} `hub_closed`
   */
  relay(from: string, snapshots: readonly Snapshot[]): void;
  /**
   * Shows the unended operations relayed from `from` as `interrupted` with this reason, without rate and ETA. They
   * stay so until they are relayed again, or until `put` settles them; after a day they are removed as ended ones are.
   */
  markUnreachable(from: string, reason: StateReason): void;
  /** Names the hub that relayed an operation; `undefined` for operations of this hub and for unknown ones. */
  relayedFrom(id: string): string | undefined;
  /** Makes every connection check its rights again; `filter` selects principals. */
  reauthorize(filter?: (principal: unknown) => boolean): void;
  /** Called by `reauthorize`. */
  onReauthorize(listener: (filter?: (principal: unknown) => boolean) => void): () => void;
  /** Runs a tick now. */
  flush(): void;
  /** Removes ended operations that are old enough. The hub calls it every 30 s. */
  retire(): void;
  /** Time until the next tick, in ms; more than the option `tickMs` when the event loop is busy. */
  readonly tickMs: number;
  /** Stops timers and listeners; `put` throws afterwards. */
  close(): void;
}
