import type { MeterOptions, ProgressError, Snapshot, SnapshotView } from '@wcc/progress';
import { isTerminal, publicSnapshot } from '@wcc/progress';
import { serialiseSnapshot } from './snapshot-size.ts';
import { createDoneGuard } from './monotonic-guard.ts';
import { createMeasurement } from './measurement.ts';
import { composeSnapshot } from './record.ts';
import type { OperationRecord } from './record.ts';
import { isSame, isSameButTimes } from './visible.ts';

/** One operation in the hub: its newest snapshot and what is needed to make the next. */
export interface Entry {
  snapshot(): Snapshot;
  /** Takes the record; true when watchers see something new. */
  take(record: OperationRecord, nowMs: number): boolean;
  /** Each view is serialised once for all its watchers. */
  bytes(view: SnapshotView): Buffer;
  /** When it reached its terminal state, by the hub's clock; `null` before. */
  endedAtMs(): number | null;
}

/** So often a running operation is told although nothing but time moved: a stall becomes visible. */
const timesEveryMs = 1000;

export interface EntryOptions {
  epoch: string;
  nowMs: number;
  meter?: MeterOptions;
  report: (error: ProgressError) => void;
}

/** @param first the record as it is now: becomes the snapshot with `seq` 1 */
export function createEntry(first: OperationRecord, options: EntryOptions): Entry {
  const guard = createDoneGuard(options.report);
  const measurement = createMeasurement(options.meter ?? {});

  const compose = (record: OperationRecord, seq: number, nowMs: number): Snapshot =>
    composeSnapshot(record, {
      epoch: options.epoch,
      seq,
      at: new Date().toISOString(),
      // Measured on what really moves; watchers see what never falls.
      measured: measurement.measure(record, nowMs),
      phases: guard.check(record.phases, record.phaseIndex),
    });

  let held = compose(first, 1, options.nowMs);
  let serialised: Partial<Record<SnapshotView, Buffer>> = {};
  let publishedAtMs = options.nowMs;
  let endedAtMs = isTerminal(held.state) ? options.nowMs : null;

  return {
    snapshot: () => held,
    take: (record, nowMs) => {
      const next = compose(record, held.seq + 1, nowMs);
      if (isSameButTimes(held, next)) {
        const waits = nowMs - publishedAtMs < timesEveryMs || isTerminal(held.state);
        if (waits || isSame(held, next)) return false;
      }
      held = next;
      serialised = {};
      publishedAtMs = nowMs;
      if (endedAtMs === null && isTerminal(held.state)) endedAtMs = nowMs;
      return true;
    },
    bytes: (view) =>
      (serialised[view] ??= serialiseSnapshot(view === 'public' ? publicSnapshot(held) : held)),
    endedAtMs: () => endedAtMs,
  };
}
