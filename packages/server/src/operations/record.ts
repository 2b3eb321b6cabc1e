import type { StateReasonCode } from '@wcc/api';
import type { OperationState, Phase, PhaseName, Reference, Snapshot, StateReason } from '@wcc/progress';
import { assertTransition } from '@wcc/progress/protocol';
import type { PhaseState } from '@wcc/progress/protocol';
import type { PhaseEvent, WorkProgress, WorkResult } from './work.ts';

/** An operation as it is stored, with all fields that the hub does not measure. */
export type OperationRecord = Omit<
  Snapshot,
  'epoch' | 'seq' | 'at' | 'rate' | 'etaMs' | 'etaAbsence' | 'sinceProgressMs' | 'stalled'
> &
  Partial<Pick<Snapshot, 'sinceProgressMs'>>;

/** A reason that the API defines. */
export interface KnownReason extends StateReason {
  code: StateReasonCode;
}

export interface NewRecord {
  id: string;
  action: string;
  subject: Reference;
  target: Reference | null;
  owner: string;
  ownerName: string;
  phases: readonly string[];
  createdAt: string;
  retryOf?: string | null;
}

/** A new record in the state `queued`, with all phases pending. */
export function newRecord(options: NewRecord): OperationRecord {
  const { id, action, subject, target, owner, ownerName, createdAt } = options;
  return {
    id,
    label: `${action}_${subject.id ?? subject.name}`,
    action,
    title: null,
    subject,
    target,
    owner,
    ownerName,
    host: null,
    state: 'queued',
    queuePosition: null,
    stateReason: null,
    phases: options.phases.map((name) => ({ ...emptyPhase, name })),
    phaseIndex: -1,
    bytes: null,
    method: null,
    elapsedMs: 0,
    createdAt,
    startedAt: null,
    endedAt: null,
    warnings: [],
    error: null,
    result: null,
    retryOf: options.retryOf ?? null,
    partOf: null,
  };
}

const emptyPhase = {
  unit: null,
  done: 0,
  durable: 0,
  total: null,
  state: 'pending',
  elapsedMs: 0,
} as const satisfies Partial<Phase>;

/** The record in another state. @throws ProgressError `invalid_transition` */
export function withState(
  record: OperationRecord,
  state: OperationState,
  stateReason: KnownReason | null = null,
): OperationRecord {
  assertTransition(record.state, state);
  return { ...record, state, stateReason, queuePosition: null };
}

function full(phase: Phase | PhaseName): Phase {
  return { ...emptyPhase, ...phase };
}

/**
 * Starts a phase: the running phase is done, pending phases in between are skipped. Resumed work repeats its first
 * phases, which do not change the record.
 */
export function enterPhase(record: OperationRecord, event: PhaseEvent): OperationRecord {
  const index = record.phases.findIndex(({ name }) => name === event.phase);
  const method = event.method ?? record.method;
  if (index === -1 || index < record.phaseIndex) return { ...record, method };
  const phases = record.phases.map((phase, at): Phase => {
    const before = full(phase);
    if (at === index) return opened(before, event);
    if (at > index) return before;
    if (before.state === 'pending' || event.skipped?.includes(before.name) === true)
      return { ...before, state: 'skipped' };
    return before.state === 'running' ? finished(before) : before;
  });
  return { ...record, phases, phaseIndex: index, method };
}

function opened(before: Phase, event: PhaseEvent): Phase {
  return { ...before, state: 'running', unit: event.unit, total: event.total ?? before.total };
}

function finished(before: Phase): Phase {
  return {
    ...before,
    state: 'done',
    done: before.total ?? before.done,
    durable: before.total ?? before.durable,
  };
}

/** Updates the numbers of the current phase; ignores numbers of another phase. */
export function withProgress(record: OperationRecord, progress: WorkProgress): OperationRecord {
  const current = record.phases[record.phaseIndex];
  const bytes = progress.bytes ?? record.bytes;
  if (current === undefined || current.name !== progress.phase) return { ...record, bytes };
  const phases = record.phases.with(record.phaseIndex, measured(full(current), progress));
  return { ...record, phases, bytes, sinceProgressMs: Math.round(progress.sinceProgressMs) };
}

function measured(before: Phase, progress: WorkProgress): Phase {
  const total = progress.total ?? before.total;
  // Resumed work starts slightly below the shown number. The number stays until the work reaches it again.
  const reached = Math.max(before.done, progress.done);
  const done = total === null ? reached : Math.min(reached, total);
  const elapsedMs = Math.round(progress.phaseElapsedMs);
  return { ...before, total, done, durable: Math.min(progress.durable, done), elapsedMs };
}

/** All phases after the end; a phase that never ran is skipped. */
export function endPhases(record: OperationRecord, result: WorkResult | null): OperationRecord {
  const elapsed = new Map(result?.phases.map(({ name, elapsedMs }) => [name, elapsedMs]));
  const phases = record.phases.map((phase): Phase => {
    const before = full(phase);
    const elapsedMs = Math.round(elapsed.get(before.name) ?? before.elapsedMs);
    if (before.state === 'running' || before.state === 'done') return { ...finished(before), elapsedMs };
    // A short phase may start and end between two reads.
    return {
      ...before,
      state: before.state === 'pending' && elapsed.has(before.name) ? 'done' : 'skipped',
      elapsedMs,
    };
  });
  return { ...record, phases };
}

/** The running phase failed, or was cut by a cancel; later phases stay pending. */
export function stopPhase(record: OperationRecord): OperationRecord {
  const state: PhaseState = record.state === 'cancelled' ? 'skipped' : 'failed';
  const phases = record.phases.map((phase) => (phase.state === 'running' ? { ...phase, state } : phase));
  return { ...record, phases };
}

/** After a crash, the current phase falls back to its durable units. */
export function fallBack(
  record: OperationRecord,
  durable: { phase: string; done: number } | null,
): OperationRecord {
  const current = record.phases[record.phaseIndex];
  if (current === undefined) return record;
  const done = durable?.phase === current.name ? durable.done : 0;
  const before = full(current);
  return { ...record, phases: record.phases.with(record.phaseIndex, { ...before, done, durable: done }) };
}
