import type { MeterOptions, ProgressError, Snapshot } from '@wcc/progress';
import type { SnapshotView } from '@wcc/progress/protocol';
import { isTerminal } from '@wcc/progress';
import { publicSnapshot } from '@wcc/progress/protocol';
import { serialiseSnapshot } from './snapshot-size.ts';
import { createMonotonicGuard } from './monotonic-guard.ts';
import { createMeasurement } from './measurement.ts';
import { createCompletion } from './completion.ts';
import { composeSnapshot } from './record.ts';
import type { CompleteRecord, OperationRecord } from './record.ts';
import { isSame, isSameExceptTimes } from './visible.ts';

/** One operation in the hub: its newest snapshot, and the state to build the next one. */
export interface Entry {
  snapshot(): Snapshot;
  /** Composes the next snapshot from the record. @returns whether watchers see a change */
  update(record: OperationRecord, nowMs: number): boolean;
  /** The serialised snapshot; each view is serialised once until {@link Entry.trim}. */
  bytes(view: SnapshotView): Buffer;
  /** Releases the serialised snapshots of an ended operation. */
  trim(): void;
  /** When the operation ended, by the hub's clock; `null` before its end. */
  endedAtMs(): number | null;
}

/** How often watchers receive a running operation in which only times changed. It makes a stall visible. */
const timeUpdateMs = 1000;

export interface EntryOptions {
  epoch: string;
  nowMs: number;
  /** `seq` of the first snapshot. @default 1 */
  firstSeq?: number;
  meter?: MeterOptions;
  report: (error: ProgressError) => void;
}

/** What composes the snapshots of an operation that has not ended. */
interface Composer {
  compose(record: OperationRecord, seq: number, nowMs: number): Snapshot;
  /** The kinds of contradictions that are reported already. */
  reported(): ReadonlySet<string>;
}

function createComposer(options: EntryOptions): Composer {
  const guard = createMonotonicGuard(options.report);
  const measurement = createMeasurement(options.meter ?? {});
  const completion = createCompletion(options.report);
  return {
    compose: (reported, seq, nowMs) => {
      const record = completion.complete(reported, nowMs);
      return composeSnapshot(record, {
        epoch: options.epoch,
        seq,
        at: new Date().toISOString(),
        // The meter sees the real numbers; watchers see numbers that never decrease.
        measured: measurement.measure(record, nowMs),
        phases: guard.check(record.phases, record.phaseIndex),
      });
    },
    reported: () => completion.reported(),
  };
}

/** An operation that has ended. */
interface Ended {
  snapshot: Snapshot;
  reported: ReadonlySet<string>;
}

/** The next snapshot of an operation that has ended. Times that the record leaves out stay as they were at the end. */
function composeAfterEnd(reported: OperationRecord, ended: Ended, { epoch, report }: EntryOptions): Snapshot {
  const { createdAt, startedAt, endedAt, elapsedMs, phases, phaseIndex, seq } = ended.snapshot;
  const kept = { createdAt, startedAt, endedAt, elapsedMs };
  const completion = createCompletion(report, ended.reported);
  const record = completion.complete({ ...kept, ...withoutUndefined(reported) }, 0);
  const guard = createMonotonicGuard(report);
  guard.check(phases, phaseIndex);
  return composeSnapshot(record, {
    epoch,
    seq: seq + 1,
    at: new Date().toISOString(),
    measured: ended.snapshot,
    phases: guard.check(withElapsed(record.phases, phases), record.phaseIndex),
  });
}

function withoutUndefined(record: OperationRecord): OperationRecord {
  const given = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as unknown as OperationRecord;
}

/** Phases whose record says no time have the time of the same phase at the end. */
function withElapsed(phases: CompleteRecord['phases'], ended: Snapshot['phases']): CompleteRecord['phases'] {
  return phases.map((phase, index) => {
    const known = ended[index];
    if ((phase.elapsedMs ?? 0) > 0 || known?.name !== phase.name || known.elapsedMs === undefined)
      return phase;
    return { ...phase, elapsedMs: known.elapsedMs };
  });
}

/** One set for all operations without contradictions. */
const none: ReadonlySet<string> = new Set();

/** @param first the current record, which becomes the first snapshot */
export function createEntry(first: OperationRecord, options: EntryOptions): Entry {
  /** Null after the end: ended operations stay in memory for a time, so they keep their snapshot only. */
  let composer: Composer | null = createComposer(options);
  let current = composer.compose(first, options.firstSeq ?? 1, options.nowMs);
  let serialised: Partial<Record<SnapshotView, Buffer>> = {};
  let publishedAtMs = options.nowMs;
  let endedAtMs: number | null = null;
  let reported: ReadonlySet<string> = none;

  const noteEnd = (nowMs: number): void => {
    if (endedAtMs !== null || !isTerminal(current.state)) return;
    endedAtMs = nowMs;
    if (composer !== null && composer.reported().size > 0) reported = composer.reported();
    composer = null;
  };
  noteEnd(options.nowMs);

  return {
    snapshot: () => current,
    update: (record, nowMs) => {
      const next =
        composer?.compose(record, current.seq + 1, nowMs) ??
        composeAfterEnd(record, { snapshot: current, reported }, options);
      if (isSameExceptTimes(current, next)) {
        const isTooEarly = nowMs - publishedAtMs < timeUpdateMs || isTerminal(current.state);
        if (isTooEarly || isSame(current, next)) return false;
      }
      current = next;
      serialised = {};
      publishedAtMs = nowMs;
      noteEnd(nowMs);
      return true;
    },
    bytes: (view) =>
      (serialised[view] ??= serialiseSnapshot(view === 'public' ? publicSnapshot(current) : current)),
    trim() {
      if (endedAtMs !== null) serialised = {};
    },
    endedAtMs: () => endedAtMs,
  };
}
