// The tags `@asType`, `@minimum`, `@format` and `@pattern` say in the JSON Schema and in docs/protocol.md what
// TypeScript cannot say. `npm run generate:schema` writes both from this file.

/**
 * @asType integer
 * @minimum 0
 */
type Milliseconds = number;

/**
 * @asType integer
 * @minimum 0
 */
type Bytes = number;

/** @minimum 0 */
type Units = number;

/**
 * @asType integer
 * @minimum 1
 */
type QueuePosition = number;

/** @format date-time */
type Timestamp = string;

/** Names something that an operation is about, e.g. `{ kind: 'report', id: 42, name: 'Sales of June' }`. */
export interface Reference {
  /** What it is, e.g. `report`; empty if the operation is about nothing in particular. */
  kind: string;
  /** A number or a text, as the publisher uses it; `null` if it has none, and in the public form. */
  id: number | string | null;
  /** Name for people; empty if there is nothing to show. */
  name: string;
}

/** State of an operation. `succeeded`, `failed` and `cancelled` are final. */
export type OperationState =
  'queued' | 'running' | 'paused' | 'cancelling' | 'interrupted' | 'succeeded' | 'failed' | 'cancelled';

/** What a phase counts; `null` if it counts nothing. */
export type PhaseUnit = 'bytes' | 'steps' | null;

/** State of a phase. One that was not needed, or that a cancelled operation did not finish, is `skipped`. */
export type PhaseState = 'pending' | 'running' | 'done' | 'skipped' | 'failed';

/**
 * One named part of an operation. On the wire, all phases except the current one are reduced to `PhaseName`, so
 * that a snapshot stays within 2 KiB.
 */
export interface Phase {
  /** Name of the phase, e.g. `transfer`. */
  name: string;
  /** What the phase counts; `null` if it counts nothing. */
  unit: PhaseUnit;
  /** Units done, never more than `total`, never decreasing within one phase and epoch. May have a fraction. */
  done: Units;
  /** Units that survive a crash of the server, never more than `done`. */
  durable: Units;
  /** Units of the whole phase; `null` if unknown. */
  total: Units | null;
  /** State of the phase. */
  state: PhaseState;
  /** Running time of the phase. */
  elapsedMs: Milliseconds;
}

/** A phase that is not the current one, as a snapshot carries it. */
export interface PhaseName {
  /** Name of the phase. */
  name: string;
  /** State of the phase. */
  state: PhaseState;
  /** Running time of the phase. Absent means 0. */
  elapsedMs?: Milliseconds;
}

/** Why an operation is queued, paused, cancelling or interrupted. */
export interface StateReason {
  /** A code for programs, e.g. `rate_limited`. The set is open. */
  code: string;
  /** Values for a text about the reason. */
  params?: Record<string, string | number>;
}

/** Why an operation failed: `message` says what is wrong, `hint` what to do. */
export interface OperationError {
  /** A code for programs. The set is open. */
  code: string;
  /** What is wrong, for people. */
  message: string;
  /** What to do, for people. May be empty. */
  hint: string;
  /** Technical detail; `null` if there is none, and in the public form. */
  detail: string | null;
}

/** Why a snapshot has no ETA. */
export type EtaAbsence =
  'total_unknown' | 'too_early' | 'not_running' | 'stalled' | 'few_samples' | 'unsteady' | 'no_units';

/** How many bytes of a file were handled in which way. */
export interface ByteCounts {
  /** Length of the file, holes included. */
  virtual: Bytes;
  /** Bytes of data in the source. */
  data: Bytes;
  /** Bytes of holes and zeros that were not written. */
  skipped: Bytes;
  /** Bytes that share their blocks with the source. */
  shared: Bytes;
  /** Bytes written. */
  written: Bytes;
}

/** What a succeeded operation made. */
interface OperationResult {
  /** What it is, e.g. `report`. */
  kind: string;
  /** Its number or text. */
  id: number | string;
}

/**
 * The complete record of an operation at one `seq`. Any snapshot may be skipped; the newest replaces all earlier
 * ones. One is newer if its `epoch` differs or its `seq` is greater.
 *
 * No field depends on the watcher, so every watcher receives the same bytes.
 */
export interface Snapshot {
  /**
   * Identifies the operation. The library creates 26 characters of lower-case base32 (128 random bits); a host may
   * choose its own ids of 1 to 64 characters.
   * @minLength 1
   * @maxLength 64
   */
  id: string;
  /** Changes when a new process takes over the record. Compare `seq` within one epoch only. At most 64 characters. */
  epoch: string;
  /**
   * Increases by one at every visible change.
   * @asType integer
   * @minimum 0
   */
  seq: number;
  /** The server's clock at this snapshot, ISO 8601. For display only, not for durations. */
  at: Timestamp;
  /** For people and logs, e.g. `build_report_42`. Grants no right. */
  label: string;
  /** What the operation does, e.g. `build_report`. The set is open. */
  action: string;
  /** Shown instead of the action's name; `null` if there is none. */
  title: string | null;
  /** What the operation is about. */
  subject: Reference;
  /** What the operation makes or changes; `null` if that is `subject`, or unknown. */
  target: Reference | null;
  /** Id of the user who owns the operation; empty in the public form. */
  owner: string;
  /** Name of the owner for people; empty in the public form. */
  ownerName: string;
  /** Name of the host that runs the operation; `null` if unknown, and in the public form. */
  host: string | null;
  /** State of the operation. `succeeded`, `failed` and `cancelled` are final. */
  state: OperationState;
  /** Position in the queue, 1 is next; `null` unless queued, or if unknown. */
  queuePosition: QueuePosition | null;
  /** Why the operation is queued, paused, cancelling or interrupted; `null` if there is nothing to say. */
  stateReason: StateReason | null;
  /**
   * All phases in their order. The current one is a `Phase` if it counts units; all others are reduced to
   * `PhaseName`.
   */
  phases: (Phase | PhaseName)[];
  /**
   * Index of the current phase in `phases`; -1 before the first.
   * @asType integer
   * @minimum -1
   */
  phaseIndex: number;
  /** Units per second of the current phase; `null` if unknown. */
  rate: Units | null;
  /** Remaining time of the current phase; `null` if unknown. */
  etaMs: Milliseconds | null;
  /** Why `etaMs` is null; `null` when it is not. */
  etaAbsence: EtaAbsence | null;
  /** How bytes were handled, for operations that count them; otherwise `null`. */
  bytes: ByteCounts | null;
  /** How the work is done, e.g. `incremental`. The set is open; `null` if unknown. */
  method: string | null;
  /** Running time of the operation from the server's monotonic clock. */
  elapsedMs: Milliseconds;
  /** Time since the last unit moved; large while `running` means stalled. */
  sinceProgressMs: Milliseconds;
  /** True after no progress for max(10 s, 5 × the usual gap between two samples). */
  stalled: boolean;
  /** When the operation was accepted, ISO 8601. */
  createdAt: Timestamp;
  /** When it first ran, ISO 8601; `null` before. */
  startedAt: Timestamp | null;
  /** When it ended, ISO 8601; `null` before. */
  endedAt: Timestamp | null;
  /** Codes or texts of warnings, oldest first. */
  warnings: string[];
  /** Why it failed; `null` unless `failed`. */
  error: OperationError | null;
  /** What it made; `null` before the end, without a result, and in the public form. */
  result: OperationResult | null;
  /** Id of the operation that this one repeats; otherwise `null`. */
  retryOf: string | null;
  /** Id of the operation that this one is a part of; otherwise `null`. */
  partOf: string | null;
}
