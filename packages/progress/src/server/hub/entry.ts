import type { MeterOptions, ProgressError, Snapshot } from '@wcc/progress';
import type { SnapshotView } from '@wcc/progress/protocol';
import { isTerminal } from '@wcc/progress';
import { publicSnapshot } from '@wcc/progress/protocol';
import { serialiseSnapshot } from './snapshot-size.ts';
import { createMonotonicGuard } from './monotonic-guard.ts';
import { createMeasurement } from './measurement.ts';
import { createCompletion } from './completion.ts';
import { composeSnapshot } from './record.ts';
import type { OperationRecord } from './record.ts';
import { isSame, isSameExceptTimes } from './visible.ts';

/** One operation in the hub: its newest snapshot, and the state to build the next one. */
export interface Entry {
  snapshot(): Snapshot;
  /** Composes the next snapshot from the record. @returns whether watchers see a change */
  update(record: OperationRecord, nowMs: number): boolean;
  /** The serialised snapshot; each view is serialised once. */
  bytes(view: SnapshotView): Buffer;
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

/** @param first the current record, which becomes the first snapshot */
export function createEntry(first: OperationRecord, options: EntryOptions): Entry {
  const guard = createMonotonicGuard(options.report);
  const measurement = createMeasurement(options.meter ?? {});
  const completion = createCompletion(options.report);

  const compose = (reported: OperationRecord, seq: number, nowMs: number): Snapshot => {
    const record = completion.complete(reported, nowMs);
    return composeSnapshot(record, {
      epoch: options.epoch,
      seq,
      at: new Date().toISOString(),
      // The meter sees the real numbers; watchers see numbers that never decrease.
      measured: measurement.measure(record, nowMs),
      phases: guard.check(record.phases, record.phaseIndex),
    });
  };

  let current = compose(first, options.firstSeq ?? 1, options.nowMs);
  let serialised: Partial<Record<SnapshotView, Buffer>> = {};
  let publishedAtMs = options.nowMs;
  let endedAtMs = isTerminal(current.state) ? options.nowMs : null;

  return {
    snapshot: () => current,
    update: (record, nowMs) => {
      const next = compose(record, current.seq + 1, nowMs);
      if (isSameExceptTimes(current, next)) {
        const isTooEarly = nowMs - publishedAtMs < timeUpdateMs || isTerminal(current.state);
        if (isTooEarly || isSame(current, next)) return false;
      }
      current = next;
      serialised = {};
      publishedAtMs = nowMs;
      if (endedAtMs === null && isTerminal(current.state)) endedAtMs = nowMs;
      return true;
    },
    bytes: (view) =>
      (serialised[view] ??= serialiseSnapshot(view === 'public' ? publicSnapshot(current) : current)),
    endedAtMs: () => endedAtMs,
  };
}
