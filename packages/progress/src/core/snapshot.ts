/** Names something an operation is about, e.g. `{ kind: 'image', id: 100, name: 'debian-13' }`. */
export interface Reference {
  kind: string;
  id: number | string | null;
  name: string;
}

/** State of an operation; the table of transitions is in `state-machine.ts`. */
export type OperationState =
  'queued' | 'running' | 'paused' | 'cancelling' | 'interrupted' | 'succeeded' | 'failed' | 'cancelled';

/** What a phase counts; `null` if it counts nothing. */
export type PhaseUnit = 'bytes' | 'steps' | null;
export type PhaseState = 'pending' | 'running' | 'done' | 'skipped' | 'failed';

/**
 * One named part of an operation. On the wire, all phases except the current one are reduced to {@link PhaseName}, so
 * that a snapshot stays within 2 KiB.
 */
export interface Phase {
  name: string;
  unit: PhaseUnit;
  /** Units done (bytes: written back), never more than `total`. */
  done: number;
  /** Units that survive a crash: those before the last checkpoint. */
  durable: number;
  /** Units of the whole phase; `null` if unknown. */
  total: number | null;
  state: PhaseState;
  elapsedMs: number;
}

/** A phase that is not the current one, as a snapshot carries it. */
export interface PhaseName {
  name: string;
  state: PhaseState;
  elapsedMs?: number;
}

/** Why an operation is queued, paused, cancelling or interrupted. */
export interface StateReason {
  code: string;
  params?: Record<string, string | number>;
}

/** Why an operation failed: `message` says what is wrong, `hint` what to do. */
export interface OperationError {
  code: string;
  message: string;
  hint: string;
  detail: string | null;
}

/** Why a snapshot has no ETA. */
export type EtaAbsence =
  'total_unknown' | 'too_early' | 'not_running' | 'stalled' | 'few_samples' | 'unsteady' | 'no_units';

/** How the bytes were handled, all in bytes. `virtual` is the size that a guest sees. */
export interface ByteCounts {
  virtual: number;
  data: number;
  skipped: number;
  shared: number;
  written: number;
}

/**
 * The complete record of an operation at one `seq`. Any snapshot may be skipped; the newest replaces all earlier
 * ones. One is newer if its `epoch` differs or its `seq` is greater.
 *
 * No field depends on the watcher, so every watcher receives the same bytes.
 */
export interface Snapshot {
  /** 128-bit random id, 26 characters of lower-case base32. */
  id: string;
  /** Changes when a new process takes over the record. Compare `seq` within one epoch only. */
  epoch: string;
  /** Increases by one at every visible change. */
  seq: number;
  /** The server's clock at this snapshot, ISO 8601. For display only, not for durations. */
  at: string;
  /** For people and logs, e.g. `copy_vm_image_100`. Grants no right. */
  label: string;
  action: string;
  subject: Reference;
  target: Reference | null;
  owner: string;
  ownerName: string;
  state: OperationState;
  /** 1 is next; `null` unless queued. */
  queuePosition: number | null;
  stateReason: StateReason | null;
  phases: (Phase | PhaseName)[];
  /** Index of the current phase in `phases`; -1 before the first. */
  phaseIndex: number;
  /** Units per second, or `null`. */
  rate: number | null;
  etaMs: number | null;
  /** Why `etaMs` is null; `null` when it is not. */
  etaAbsence: EtaAbsence | null;
  bytes: ByteCounts | null;
  method: 'clone' | 'kernel-copy' | 'read-write' | null;
  /** Running time of the operation from the server's monotonic clock. */
  elapsedMs: number;
  /** Time since the last unit moved; large while `running` means stalled. */
  sinceProgressMs: number;
  /** True after no progress for max(10 s, 5 × the usual gap between two samples). */
  stalled: boolean;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  warnings: string[];
  error: OperationError | null;
  result: { kind: string; id: number | string } | null;
  retryOf: string | null;
  partOf: string | null;
}
