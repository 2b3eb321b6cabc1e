import type { Phase, PhaseName, Reference, Snapshot } from '@wcc/progress';

/** What the hub measures itself when a record does not bring it along. */
export type MeasuredField = 'rate' | 'etaMs' | 'etaAbsence' | 'sinceProgressMs' | 'stalled';
export type Measured = Pick<Snapshot, MeasuredField>;

/** An operation as its owner knows it: the hub adds version, clock time, rate and ETA. */
export type OperationRecord = Omit<Snapshot, 'epoch' | 'seq' | 'at' | MeasuredField> & Partial<Measured>;

export function isFullPhase(phase: Phase | PhaseName): phase is Phase {
  return 'done' in phase;
}

/** The phase that the operation is in, when it counts units. */
export function currentPhase(record: Pick<Snapshot, 'phases' | 'phaseIndex'>): Phase | null {
  const phase = record.phases[record.phaseIndex];
  return phase !== undefined && isFullPhase(phase) ? phase : null;
}

const reference = ({ kind, id, name }: Reference): Reference => ({ kind, id, name });

/** JSON has no NaN and no Infinity: nothing is known then. */
function finite(value: number | null): number | null {
  return Number.isFinite(value) ? value : null;
}

function shrink(phase: Phase | PhaseName): PhaseName {
  const { name, state, elapsedMs } = phase;
  // A pending phase has no time yet; leaving the zero out keeps long plans short.
  return elapsedMs === undefined || elapsedMs === 0 ? { name, state } : { name, state, elapsedMs };
}

function whole(phase: Phase | PhaseName): Phase | PhaseName {
  if (!isFullPhase(phase)) return shrink(phase);
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
 * Builds the snapshot field by field: what a caller's record holds besides (columns of a store, secrets of
 * its own) never reaches a watcher.
 */
export function composeSnapshot(record: OperationRecord, parts: SnapshotParts): Snapshot {
  const { epoch, seq, at, measured } = parts;
  const identity = { id: record.id, epoch, seq, at, label: record.label, action: record.action };
  const people = {
    subject: reference(record.subject),
    target: record.target === null ? null : reference(record.target),
    owner: record.owner,
    ownerName: record.ownerName,
  };
  const phases = parts.phases.map((phase, index) =>
    index === record.phaseIndex ? whole(phase) : shrink(phase),
  );
  return {
    ...identity,
    ...people,
    state: record.state,
    queuePosition: record.queuePosition,
    stateReason: record.stateReason,
    phases,
    phaseIndex: record.phaseIndex,
    rate: finite(record.rate === undefined ? measured.rate : record.rate),
    etaMs: finite(record.etaMs === undefined ? measured.etaMs : record.etaMs),
    etaAbsence: record.etaAbsence === undefined ? measured.etaAbsence : record.etaAbsence,
    bytes: record.bytes,
    method: record.method,
    elapsedMs: Math.round(finite(record.elapsedMs) ?? 0),
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
