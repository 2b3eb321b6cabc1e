import type { Action, OperationInput, OperationView } from './action.ts';
import type { PhaseEvent, Work, WorkProgress } from './work.ts';
import { createMutex } from '../concurrency/mutex.ts';
import type { Mutex } from '../concurrency/mutex.ts';
import type { KnownReason, OperationRecord } from './record.ts';
import { withProgress } from './record.ts';
import type { SpaceRefusal } from './space-need.ts';

/**
 * The record of an operation that has not ended, in memory. All changes of its state go through `exclusive`, one
 * after the other, and through `commit`, which makes them durable before the hub shows them.
 */
export interface ActiveRecord {
  readonly id: string;
  readonly exclusive: Mutex;
  /** The durable record, with the newest numbers of the running phase. */
  record: OperationRecord;
  /** `rev` of its row. */
  rev: number;
  /** Number of the last line of its log. */
  logNumber: number;
  /** The source of the current numbers; null while nothing runs. */
  work: Pick<Work, 'progress'> | null;
  /** `elapsedMs` before the current run, and the monotonic start of that run. */
  elapsed: { beforeMs: number; runningSinceMs: number | null };
  stopPolling: () => void;
}

/** An operation of an action of this server. */
export interface ActiveOperation extends OperationView, ActiveRecord {
  readonly action: Action;
  readonly input: OperationInput;
  record: OperationRecord;
  /** Null while the operation waits, and after a restart until it resumes. */
  work: Work | null;
  /** Whether it occupies a slot of its pool. */
  hasSlot: boolean;
  /** Left by an earlier process and not yet compared with the disk. */
  isRecovered: boolean;
  /** Time of the last automatic resume after a storage failure, and the delay before the next one. */
  failureRetry: { atMs: number; pauseMs: number };
  /** Refusals for space that the file system does not explain; null: none. */
  spaceRefusal: SpaceRefusal | null;
  /** Times that its pool was gone while the work ran, since the pool last became available. */
  poolLosses: number;
  /** Phases that the work has started and that are not durable yet. */
  pendingPhases: PhaseEvent[];
}

/** The row of an operation that has not ended. */
export type StoredState = Pick<ActiveRecord, 'record' | 'rev' | 'logNumber'>;

export interface ActiveOptions extends StoredState {
  action: Action;
  input: OperationInput;
  isRecovered: boolean;
}

/** The common part of all operations, with nothing running. */
export function createActiveRecord({ record, rev, logNumber }: StoredState): ActiveRecord {
  return {
    id: record.id,
    record,
    rev,
    logNumber,
    exclusive: createMutex(),
    work: null,
    elapsed: { beforeMs: record.elapsedMs, runningSinceMs: null },
    stopPolling: () => {},
  };
}

export function createActiveOperation(options: ActiveOptions): ActiveOperation {
  const { action, input, isRecovered } = options;
  return {
    ...createActiveRecord(options),
    work: null,
    action,
    input,
    isRecovered,
    hasSlot: false,
    failureRetry: { atMs: 0, pauseMs: 0 },
    spaceRefusal: null,
    poolLosses: 0,
    pendingPhases: [],
  };
}

/** Starts or stops the clock of an operation; it counts neither waiting nor pauses. */
export function runClock(operation: ActiveRecord, { runs, nowMs }: { runs: boolean; nowMs: number }): void {
  const { beforeMs, runningSinceMs } = operation.elapsed;
  const elapsedMs = elapsedMsOf(operation, nowMs);
  if (runs) operation.elapsed = { beforeMs, runningSinceMs: runningSinceMs ?? nowMs };
  else operation.elapsed = { beforeMs: elapsedMs, runningSinceMs: null };
}

export function elapsedMsOf(operation: ActiveRecord, nowMs: number): number {
  const { beforeMs, runningSinceMs } = operation.elapsed;
  return Math.round(beforeMs + (runningSinceMs === null ? 0 : nowMs - runningSinceMs));
}

/** The reason of a paused operation that was resumed and waits for a slot. */
export const resumingReason: KnownReason = { code: 'resuming' };

export function isResuming(record: OperationRecord): boolean {
  return record.state === 'paused' && record.stateReason?.code === resumingReason.code;
}

/** The durable record with the current numbers, as the hub shows it. */
export function currentRecord(operation: ActiveRecord, nowMs: number): OperationRecord {
  if (operation.work)
    operation.record = withProgress(operation.record, progressOf(operation, operation.work));
  return { ...operation.record, elapsedMs: elapsedMsOf(operation, nowMs) };
}

/** While paused, no time passes; the bytes of the last window may still arrive. */
function progressOf({ record }: ActiveRecord, work: Pick<Work, 'progress'>): WorkProgress {
  const progress = work.progress();
  if (record.state !== 'paused') return progress;
  const phaseElapsedMs = record.phases[record.phaseIndex]?.elapsedMs ?? 0;
  return { ...progress, phaseElapsedMs, sinceProgressMs: record.sinceProgressMs ?? 0 };
}
