import type { Phase, Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { sampleSnapshot } from '../../testing/sample-snapshot.ts';
import type { CompleteRecord } from '../hub/record.ts';

export const newId = (): string => createOperationId();

export function phase(name: string, changes: Partial<Phase> = {}): Phase {
  return {
    name,
    unit: 'bytes',
    done: 0,
    durable: 0,
    total: 1000,
    state: 'pending',
    elapsedMs: 0,
    ...changes,
  };
}

/** The sample without the fields that the hub adds. */
const sampleRecord = (({
  epoch: _epoch,
  seq: _seq,
  at: _at,
  rate: _rate,
  etaMs: _etaMs,
  etaAbsence: _etaAbsence,
  sinceProgressMs: _sinceProgressMs,
  stalled: _stalled,
  ...record
}: Snapshot): CompleteRecord => record)(sampleSnapshot());

/** A copy in the second of its four phases. */
export function copyRecord(changes: Partial<CompleteRecord> = {}): CompleteRecord {
  return {
    ...sampleRecord,
    id: newId(),
    phases: [
      phase('reserve', { unit: null, total: null, state: 'done', elapsedMs: 12 }),
      phase('copy', { state: 'running' }),
      phase('flush'),
      phase('publish', { unit: 'steps', total: 3 }),
    ],
    bytes: { virtual: 40_000, data: 1000, skipped: 39_000, shared: 0, written: 0 },
    elapsedMs: 0,
    ...changes,
  };
}

/** The same record with `done` bytes in its current phase. */
export function moved(
  record: CompleteRecord,
  done: number,
  elapsedMs: number = record.elapsedMs,
): CompleteRecord {
  const phases = record.phases.map((each, index) =>
    index === record.phaseIndex ? { ...each, done, durable: done } : each,
  );
  return { ...record, phases, elapsedMs };
}

const sampleError = { code: 'no_space', message: 'The disk is full.', hint: 'Free space.', detail: null };

export function ended(record: CompleteRecord, changes: Partial<CompleteRecord> = {}): CompleteRecord {
  const error = changes.state === 'failed' ? sampleError : null;
  return { ...record, state: 'succeeded', endedAt: new Date().toISOString(), error, ...changes };
}
