import type { Phase, PhaseName, Reference, Snapshot } from '@wcc/progress';
import { ProgressError } from '@wcc/progress';
import { isWatchableId, operationStates } from '@wcc/progress/protocol';

/** Fields that the hub measures if the record does not set them. */
export type MeasuredField = 'rate' | 'etaMs' | 'etaAbsence' | 'sinceProgressMs' | 'stalled';
/** The measured fields of a snapshot. */
export type Measured = Pick<Snapshot, MeasuredField>;

type MandatoryField = 'id' | 'action' | 'owner' | 'state';
type ReportedField = Exclude<keyof Snapshot, 'epoch' | 'seq' | 'at' | 'phases'>;

/**
 * An operation as a host with records of its own reports it to `hub.put` or `hub.pull`. The hub adds version, clock
 * time, rate and ETA. `failed` also demands `error`. All other fields have defaults:
 *
 * - `subject`: a reference without kind, id and name
 * - `label`: `<action>_<id or name of the subject>`
 * - `ownerName`: the owner
 * - `createdAt`, `startedAt`, `endedAt`: when the hub saw the first record, the first that runs, the final one
 * - `elapsedMs`, also that of the current phase: the time that the hub saw it `running` or `cancelling`
 * - `phases`: none. A phase with an amount has the unit `steps`, no units done and an unknown total; its `durable`
 *   equals its `done`. A phase without any amount counts nothing
 * - `phaseIndex`: the phase that is `running` or `failed`, else none before the start, and the last after the end
 * - the rest: `null`, or empty
 */
export type OperationRecord = Pick<Snapshot, MandatoryField> &
  Partial<Omit<Pick<Snapshot, ReportedField>, MandatoryField>> & {
    phases?: readonly (Pick<Phase, 'name'> & Partial<Phase>)[];
  };

/** A record with all fields; those that the hub measures are optional. */
export type CompleteRecord = Omit<Snapshot, 'epoch' | 'seq' | 'at' | MeasuredField> & Partial<Measured>;

/** @throws {ProgressError} `invalid_record` if a mandatory field is missing or has no meaning */
export function assertRecord(record: Readonly<Record<MandatoryField, unknown>>): void {
  const detail = faultOf(record);
  if (detail !== null) throw new ProgressError('invalid_record', { detail });
}

/** What a caller without TypeScript may get wrong. */
function faultOf({ id, action, owner, state }: Readonly<Record<MandatoryField, unknown>>): string | null {
  if (typeof id !== 'string') return `the id is a ${typeof id}, not a text`;
  if (!isWatchableId(id)) return `the id has ${id.length} characters; 1 to 64 are allowed`;
  if (typeof action !== 'string' || action === '') return `${id}: the action is missing`;
  if (typeof owner !== 'string') return `${id}: the owner is missing`;
  if (operationStates.some((known) => known === state)) return null;
  return `${id}: the state is none of ${operationStates.join(', ')}`;
}

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

/** A duration in whole milliseconds. */
const wholeMs = (value: number | undefined): number => Math.max(0, Math.round(finiteOrNull(value ?? 0) ?? 0));

function toPhaseName(phase: Phase | PhaseName): PhaseName {
  const { name, state } = phase;
  const elapsedMs = wholeMs(phase.elapsedMs);
  // Pending phases omit their zero, so that the snapshot stays short.
  return elapsedMs === 0 ? { name, state } : { name, state, elapsedMs };
}

function fullPhase(phase: Phase | PhaseName): Phase | PhaseName {
  if (!isFullPhase(phase)) return toPhaseName(phase);
  const { name, unit, done, durable, total, state } = phase;
  return { name, unit, done, durable, total, state, elapsedMs: wholeMs(phase.elapsedMs) };
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
export function composeSnapshot(record: CompleteRecord, parts: SnapshotParts): Snapshot {
  const { epoch, seq, at, measured } = parts;
  const { id, label, action, title } = record;
  const etaMs = finiteOrNull(record.etaMs === undefined ? measured.etaMs : record.etaMs);
  const people = {
    subject: pickReference(record.subject),
    target: record.target === null ? null : pickReference(record.target),
    owner: record.owner,
    ownerName: record.ownerName,
    host: record.host,
  };
  const phases = parts.phases.map((phase, index) =>
    index === record.phaseIndex ? fullPhase(phase) : toPhaseName(phase),
  );
  return {
    id,
    epoch,
    seq,
    at,
    label,
    action,
    title,
    ...people,
    state: record.state,
    queuePosition: record.queuePosition,
    stateReason: record.stateReason,
    phases,
    phaseIndex: record.phaseIndex,
    rate: finiteOrNull(record.rate === undefined ? measured.rate : record.rate),
    etaMs: etaMs === null ? null : wholeMs(etaMs),
    etaAbsence: record.etaAbsence === undefined ? measured.etaAbsence : record.etaAbsence,
    bytes: record.bytes,
    method: record.method,
    elapsedMs: wholeMs(record.elapsedMs),
    sinceProgressMs: wholeMs(record.sinceProgressMs ?? measured.sinceProgressMs),
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
