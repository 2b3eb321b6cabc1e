import type { Phase, PhaseName, Reference, Snapshot } from '@wcc/progress';

/** Fields that the hub measures if the record does not set them. */
export type MeasuredField = 'rate' | 'etaMs' | 'etaAbsence' | 'sinceProgressMs' | 'stalled';
/** The measured fields of a snapshot. */
export type Measured = Pick<Snapshot, MeasuredField>;

/** An operation as its publisher reports it. The hub adds version, clock time, rate and ETA. */
export type OperationRecord = Omit<Snapshot, 'epoch' | 'seq' | 'at' | MeasuredField> & Partial<Measured>;

export function isFullPhase(phase: Phase | PhaseName): phase is Phase {
  return 'done' in phase;
}

/** The current phase, if it counts units. */
export function currentPhase(record: Pick<Snapshot, 'phases' | 'phaseIndex'>): Phase | null {
  const phase = record.phases[record.phaseIndex];
  return phase !== undefined && isFullPhase(phase) ? phase : null;
}

const pickReference = ({ kind, id, name }: Reference): Reference => ({ kind, id, name });

/** JSON has no NaN and no Infinity; both become `null`, which means unknown. */
function finiteOrNull(value: number | null): number | null {
  return Number.isFinite(value) ? value : null;
}

function toPhaseName(phase: Phase | PhaseName): PhaseName {
  const { name, state, elapsedMs } = phase;
  // Pending phases omit their zero, so that the snapshot stays short.
  return elapsedMs === undefined || elapsedMs === 0 ? { name, state } : { name, state, elapsedMs };
}

function fullPhase(phase: Phase | PhaseName): Phase | PhaseName {
  if (!isFullPhase(phase)) return toPhaseName(phase);
  const { name, unit, done, durable, total, state, elapsedMs } = phase;
  return { name, unit, done, durable, total, state, elapsedMs };
}

export interface SnapshotParts {
  epoch: string;
  seq: number;
  at: string;
  measured: Measured;
  phases: readonly (Phase | PhaseName)[];
}

/**
 * Builds the snapshot field by field, so that additional fields of the record (columns of a store, secrets)
 * never reach a watcher.
 */
export function composeSnapshot(record: OperationRecord, parts: SnapshotParts): Snapshot {
  const { epoch, seq, at, measured } = parts;
  const identity = { id: record.id, epoch, seq, at, label: record.label, action: record.action };
  const people = {
    subject: pickReference(record.subject),
    target: record.target === null ? null : pickReference(record.target),
    owner: record.owner,
    ownerName: record.ownerName,
  };
  const phases = parts.phases.map((phase, index) =>
    index === record.phaseIndex ? fullPhase(phase) : toPhaseName(phase),
  );
  return {
    ...identity,
    ...people,
    state: record.state,
    queuePosition: record.queuePosition,
    stateReason: record.stateReason,
    phases,
    phaseIndex: record.phaseIndex,
    rate: finiteOrNull(record.rate === undefined ? measured.rate : record.rate),
    etaMs: finiteOrNull(record.etaMs === undefined ? measured.etaMs : record.etaMs),
    etaAbsence: record.etaAbsence === undefined ? measured.etaAbsence : record.etaAbsence,
    bytes: record.bytes,
    method: record.method,
    elapsedMs: Math.round(finiteOrNull(record.elapsedMs) ?? 0),
    sinceProgressMs: record.sinceProgressMs ?? measured.sinceProgressMs,
    stalled: record.stalled ?? measured.stalled,
    createdAt: record.createdAt,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    warnings: record.warnings,
    error: record.error,
    result: record.result,
    retryOf: record.retryOf,
    partOf: record.partOf,
  };
}
