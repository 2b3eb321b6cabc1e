import type { Action, OperationInput, OperationView } from './action.ts';
import type { PhaseEvent, Work, WorkProgress } from './work.ts';
import { createMutex } from '../concurrency/mutex.ts';
import type { Mutex } from '../concurrency/mutex.ts';
import type { KnownReason, OperationRecord } from './record.ts';
import { withProgress } from './record.ts';

/**
 * The record of an operation that has not ended, in memory, whoever carries it out. All changes of its state
 * go through `exclusive`, one after the other, and through `commit`, which makes them durable before anybody
 * is told.
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
  /** Where the numbers of this moment come from; null while nothing runs. */
  work: Pick<Work, 'progress'> | null;
  /** `elapsedMs` before the present run, and the monotonic start of that run. */
  elapsed: { beforeMs: number; runningSinceMs: number | null };
  stopPolling: () => void;
}

/** An operation that this server carries out itself, by an action. */
export interface ActiveOperation extends OperationView, ActiveRecord {
  readonly action: Action;
  readonly input: OperationInput;
  record: OperationRecord;
  /** What moves its bytes; null while it waits, and after a restart until it goes on. */
  work: Work | null;
  /** True from being started until its turn is over: it takes one of the pool's places. */
  hasSlot: boolean;
  /** Left by another process and not yet compared with the disk. */
  isRecovered: boolean;
  /** When it went on last because there seemed to be room, and how long to wait before the next time. */
  spaceRetry: { atMs: number; pauseMs: number };
  /** Phases that the work has entered and that are not durable yet. */
  pendingPhases: PhaseEvent[];
}

/** What a row of the store says of an operation that has not ended. */
export type StoredState = Pick<ActiveRecord, 'record' | 'rev' | 'logNumber'>;

export interface ActiveOptions extends StoredState {
  action: Action;
  input: OperationInput;
  isRecovered: boolean;
}

/** The part that all have in common, at rest. */
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
  const { action, input, isRecovered: isTakenOver } = options;
  return {
    ...createActiveRecord(options),
    work: null,
    action,
    input,
    isRecovered: isTakenOver,
    hasSlot: false,
    spaceRetry: { atMs: 0, pauseMs: 0 },
    pendingPhases: [],
  };
}

/** Starts or stops the clock of an operation: waiting and pausing do not count. */
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

/** The reason of a paused operation that was resumed and waits for a free place. */
export const resumingReason: KnownReason = { code: 'resuming' };

export function isResuming(record: OperationRecord): boolean {
  return record.state === 'paused' && record.stateReason?.code === resumingReason.code;
}

/** The durable record with the numbers of this moment: what the hub looks at. */
export function currentRecord(operation: ActiveRecord, nowMs: number): OperationRecord {
  if (operation.work)
    operation.record = withProgress(operation.record, progressOf(operation, operation.work));
  return { ...operation.record, elapsedMs: elapsedMsOf(operation, nowMs) };
}

/** While paused no time passes: only the last window's bytes may still come in. */
function progressOf({ record }: ActiveRecord, work: Pick<Work, 'progress'>): WorkProgress {
  const progress = work.progress();
  if (record.state !== 'paused') return progress;
  const phaseElapsedMs = record.phases[record.phaseIndex]?.elapsedMs ?? 0;
  return { ...progress, phaseElapsedMs, sinceProgressMs: record.sinceProgressMs ?? 0 };
}
