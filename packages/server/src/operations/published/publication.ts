import type { Phase, Snapshot } from '@wcc/progress';
import type { Engine } from '../engine.ts';
import { createActiveRecord, currentRecord, runClock } from '../active-operation.ts';
import type { ActiveRecord, StoredState } from '../active-operation.ts';
import type { OperationRecord } from '../record.ts';

/**
 * An operation that another program runs and reports. It has no queue, no work and no files of wcc: its numbers come
 * from reports, and a lease limits the time without a report.
 *
 * `running ⇄ interrupted` (silent for longer than the lease; the next report), `running | interrupted → cancelling`
 * (a person asked; the program reads it in the answer to its next report), and from each of them to an end:
 * reported, or by silence (cancelling → cancelled after a lease, interrupted → failed after a day).
 */
export interface Publication extends ActiveRecord {
  readonly leaseMs: number;
  /** Monotonic time of the last report. */
  lastReportAtMs: number;
  /** Time of its interruption by the retention clock, which survives a restart. Null unless interrupted. */
  interruptedAtMs: number | null;
  /** The phase of the next three fields: a phase is durable before its numbers are counted. */
  countedPhase: string;
  /** Units of that phase as reported; `done` stops at the total. */
  reported: number;
  /** Monotonic start of that phase, minus the time before an interruption. */
  phaseSinceMs: number;
  /** Monotonic time of the last unit. */
  movedAtMs: number;
  /** It has ended and has left the memory. */
  readonly leave: () => void;
}

export interface PublicationOptions extends StoredState {
  leaseS: number;
  interruptedAtMs: number | null;
  nowMs: number;
  leave: () => void;
}

export function createPublication(options: PublicationOptions): Publication {
  const { leaseS, interruptedAtMs, nowMs, leave } = options;
  const publication = {
    ...createActiveRecord(options),
    leaseMs: leaseS * 1000,
    lastReportAtMs: nowMs,
    interruptedAtMs,
    countedPhase: '',
    reported: 0,
    phaseSinceMs: nowMs,
    movedAtMs: nowMs,
    leave,
  };
  countFrom(publication, nowMs);
  return publication;
}

/** The current phase; there is always one. */
export function phaseOf({ phases, phaseIndex }: OperationRecord): Phase {
  const phase = phases[phaseIndex];
  if (phase === undefined || !('done' in phase)) throw new Error('a published operation is in no phase');
  return phase;
}

/** Starts counting at the numbers of the record's current phase. */
export function countFrom(publication: Publication, nowMs: number): void {
  const { name, done, elapsedMs } = phaseOf(publication.record);
  publication.countedPhase = name;
  publication.reported = done;
  publication.phaseSinceMs = nowMs - elapsedMs;
  publication.movedAtMs = nowMs;
}

/** Starts the clocks: a program that reports no units shows as stalled. */
export function startClock({ clock }: Engine, publication: Publication): void {
  const nowMs = clock.monotonicMs();
  publication.interruptedAtMs = null;
  publication.work = {
    progress() {
      const { done, durable } = phaseOf(publication.record);
      const now = clock.monotonicMs();
      const times = {
        sinceProgressMs: now - publication.movedAtMs,
        phaseElapsedMs: now - publication.phaseSinceMs,
      };
      return { phase: publication.countedPhase, done, durable, total: null, bytes: null, ...times };
    },
  };
  runClock(publication, { runs: true, nowMs });
}

/** Stops the clocks: without reports no time passes. */
export function stopClock(publication: Publication): void {
  publication.work = null;
}

/** The record for the store: its numbers are durable with it. */
export function withDurableNumbers(record: OperationRecord): OperationRecord {
  const phase = phaseOf(record);
  return {
    ...record,
    phases: record.phases.with(record.phaseIndex, { ...phase, durable: phase.done }),
  };
}

/** Shows the record with the current numbers. */
export function publishRecord({ hub, clock }: Engine, publication: Publication): Snapshot {
  return hub.put(currentRecord(publication, clock.monotonicMs()));
}
