import type { Meter, MeterOptions, Phase } from '@wcc/progress';
import { createMeter } from '@wcc/progress';
import { currentPhase } from './record.ts';
import type { CompleteRecord, Measured } from './record.ts';

/** Measures one operation; restarts its meter at each phase and after each stop. */
export interface Measurement {
  measure(record: CompleteRecord, nowMs: number): Measured;
}

/** @param options those of the meter */
export function createMeasurement(options: MeterOptions): Measurement {
  const meter: Meter = createMeter(options);
  /** The phase that the meter measures; `null` while the operation does not run. */
  let measuredPhase: string | null = null;
  let phaseStartedAtMs = 0;
  let sinceProgressMs = 0;

  const idle = (): Measured => {
    measuredPhase = null;
    // Keeps `sinceProgressMs`, because a growing value would be a visible change every second.
    return { rate: null, etaMs: null, etaAbsence: 'not_running', sinceProgressMs, stalled: false };
  };

  const start = (key: string, phase: Phase | null, nowMs: number): void => {
    measuredPhase = key;
    phaseStartedAtMs = nowMs;
    meter.reset(nowMs, phase?.done ?? 0);
  };

  return {
    measure: (record, nowMs) => {
      if (record.state !== 'running') return idle();
      const phase = currentPhase(record);
      const key = `${record.phaseIndex} ${phase?.name ?? ''}`;
      if (measuredPhase === key) {
        if (phase !== null) meter.add({ atMs: nowMs, done: phase.done });
      } else {
        start(key, phase, nowMs);
      }
      if (phase === null || phase.unit === null) {
        sinceProgressMs = Math.round(nowMs - phaseStartedAtMs);
        return { rate: null, etaMs: null, etaAbsence: 'no_units', sinceProgressMs, stalled: false };
      }
      const reading = meter.read(nowMs, { total: phase.total, state: record.state, phaseStartedAtMs });
      sinceProgressMs = reading.sinceProgressMs;
      return { ...reading, rate: reading.rate === null ? null : Math.round(reading.rate) };
    },
  };
}
