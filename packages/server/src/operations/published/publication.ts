import type { Phase, Snapshot } from '@wcc/progress';
import type { Engine } from '../engine.ts';
import { createActiveRecord, currentRecord, runClock } from '../active-operation.ts';
import type { ActiveRecord, StoredState } from '../active-operation.ts';
import type { OperationRecord } from '../record.ts';

/**
 * An operation that another program carries out and reports. It has no queue, no work and nothing on a disk
 * of ours: its numbers come by reports, its life hangs on a lease.
 *
 * `running ⇄ interrupted` (silent for longer than the lease; the next report), `running | interrupted →
 * cancelling` (a person asked; the program reads it in the answer to its next report), and from each of them
 * to an end: reported, or by silence (cancelling → cancelled after a lease, interrupted → failed after a day).
 */
export interface Publication extends ActiveRecord {
  readonly leaseMs: number;
  /** Monotonic time of the last word of its program. */
  heardAtMs: number;
  /** Clock time of its interruption; only that outlives a restart. Null unless interrupted. */
  interruptedAt: string | null;
  /** The phase that the next three belong to: a change of phase is made durable before it is counted in. */
  countedPhase: string;
  /** Units of that phase as reported; `done` stops at the total. */
  reported: number;
  /** Monotonic start of that phase, less the time before an interruption. */
  phaseSinceMs: number;
  /** Monotonic time of the last unit. */
  movedAtMs: number;
  /** It has ended and is kept in memory no more. */
  readonly leave: () => void;
}

export interface PublicationOptions extends StoredState {
  leaseS: number;
  interruptedAt: string | null;
  nowMs: number;
  leave: () => void;
}

export function createPublication(options: PublicationOptions): Publication {
  const { leaseS, interruptedAt, nowMs, leave } = options;
  const publication = {
    ...createActiveRecord(options),
    leaseMs: leaseS * 1000,
    heardAtMs: nowMs,
    interruptedAt,
    countedPhase: '',
    reported: 0,
    phaseSinceMs: nowMs,
    movedAtMs: nowMs,
    leave,
  };
  countFrom(publication, nowMs);
  return publication;
}

/** The phase that it is in; it is in one from its beginning on. */
export function phaseOf({ phases, phaseIndex }: OperationRecord): Phase {
  const phase = phases[phaseIndex];
  if (phase === undefined || !('done' in phase)) throw new Error('a published operation is in no phase');
  return phase;
}

/** Takes the record's current phase as the start of what is counted from here on. */
export function countFrom(publication: Publication, nowMs: number): void {
  const { name, done, elapsedMs } = phaseOf(publication.record);
  publication.countedPhase = name;
  publication.reported = done;
  publication.phaseSinceMs = nowMs - elapsedMs;
  publication.movedAtMs = nowMs;
}

/** Its clocks run: a program that is there and counts nothing shows as stalled. */
export function startClock({ clock }: Engine, publication: Publication): void {
  const nowMs = clock.monotonicMs();
  publication.interruptedAt = null;
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

/** Nobody reports: no time passes. */
export function stopClock(publication: Publication): void {
  publication.work = null;
}

/** The record as it is to be stored: what the store holds is what survives. */
export function withDurableNumbers(record: OperationRecord): OperationRecord {
  const phase = phaseOf(record);
  return {
    ...record,
    phases: record.phases.with(record.phaseIndex, { ...phase, durable: phase.done }),
  };
}

/** What the hub holds, with the numbers of this moment. */
export function publishRecord({ hub, clock }: Engine, publication: Publication): Snapshot {
  return hub.put(currentRecord(publication, clock.monotonicMs()));
}
