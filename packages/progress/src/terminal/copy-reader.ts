import { createMeter } from '../core/meter.ts';
import type { Snapshot } from '../core/snapshot.ts';

/** Progress of a copy, as `@wcc/copy` reports it. */
export interface CopyProgressLike {
  readonly phase: string;
  readonly state: 'waiting' | 'running' | 'paused' | 'ended';
  readonly doneBytes: number;
  readonly totalBytes: number | null;
  readonly elapsedMs: number;
  readonly phaseElapsedMs: number;
  readonly sinceProgressMs: number;
}

const states = { waiting: 'queued', running: 'running', paused: 'paused', ended: 'succeeded' } as const;

/** Turns the progress of one copy into snapshots. It measures rate and time left, which a copy does not report. */
export function createCopyReader(): (progress: CopyProgressLike) => Snapshot {
  const meter = createMeter();
  let measured = '';
  return (progress) => {
    const { phase, doneBytes: done, totalBytes: total, elapsedMs } = progress;
    const state = states[progress.state];
    const what = `${phase}/${state}`;
    if (what === measured) meter.add({ atMs: elapsedMs, done });
    else meter.reset(elapsedMs, done);
    measured = what;
    const phaseStartedAtMs = elapsedMs - progress.phaseElapsedMs;
    const { rate, etaMs, stalled } = meter.read(elapsedMs, { total, state, phaseStartedAtMs });
    const unit = total === null ? null : 'bytes';
    const current = { name: phase, unit, done, durable: 0, total, state: 'running' } as const;
    const fields = {
      id: 'copy',
      action: 'copy',
      state,
      phases: [{ ...current, elapsedMs: progress.phaseElapsedMs }],
      phaseIndex: 0,
      rate,
      etaMs,
      stalled,
      elapsedMs,
      sinceProgressMs: progress.sinceProgressMs,
    };
    // A row shows a snapshot that lacks fields.
    return fields as unknown as Snapshot;
  };
}
