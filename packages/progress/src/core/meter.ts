import type { EtaAbsence, OperationState } from './snapshot.ts';
import { createEtaSmoother } from './meter/smoother.ts';
import { createSlices } from './meter/slices.ts';

/** Measures rate and ETA of one phase, from the units done since its start or last resume. */
export interface Meter {
  /**
   * Takes one measurement. A number that is not finite or not greater than before is ignored.
   * @param sample `atMs`: milliseconds of a monotonic clock; `done`: units done so far in the current phase
   */
  add(sample: { atMs: number; done: number }): void;
  /** Discards all samples. Call it at the start of a phase and after a resume. */
  reset(atMs: number, done: number): void;
  /** Rate and ETA at one moment. `total` is `null` if unknown; the clock is that of the samples. */
  read(
    atMs: number,
    context: { total: number | null; state: OperationState; phaseStartedAtMs: number },
  ): {
    /** Units per second; 0 while stalled, `null` while unknown. */
    rate: number | null;
    /** Time to the end of the phase in whole milliseconds; `null` while unknown. */
    etaMs: number | null;
    /** Why there is no `etaMs`; `null` when there is one. */
    etaAbsence: EtaAbsence | null;
    /** True when no unit was done for max(10 s, 5 × the usual gap between two samples). */
    stalled: boolean;
    /** Time since the last sample with progress, in whole milliseconds. */
    sinceProgressMs: number;
  };
}

type MeterSample = Parameters<Meter['add']>[0];
type MeterContext = Parameters<Meter['read']>[1];

/** Options of `createMeter`, and of the option `meter` of a hub. */
export interface MeterOptions {
  /** Half-life of the rate's moving average. @default 15000 */
  halfLifeMs?: number;
}

const tooEarlyMs = 5000;
const tooEarlyShare = 0.01;
const minSamples = 5;
const unsteadySpread = 0.5;
const stalledMs = 10_000;
const stalledGaps = 5;

/** Creates a meter. Call `reset` before the first sample. */
export function createMeter(options: MeterOptions = {}): Meter {
  const halfLifeMs = options.halfLifeMs ?? 15_000;
  const slices = createSlices(halfLifeMs);
  const smoother = createEtaSmoother();
  let startedAtMs = 0;

  const isStalled = (atMs: number): boolean =>
    slices.sinceProgressMs(atMs) > Math.max(stalledMs, stalledGaps * slices.usualGapMs());

  const start = (sample: MeterSample, what: 'all' | 'speed'): void => {
    startedAtMs = sample.atMs;
    slices.reset(sample, what);
    smoother.reset();
  };

  const absence = (atMs: number, context: MeterContext, stalled: boolean): EtaAbsence | null => {
    const { total, state } = context;
    if (state !== 'running') return 'not_running';
    if (stalled) return 'stalled';
    if (total === null || !Number.isFinite(total) || total < 0) return 'total_unknown';
    const runningMs = atMs - Math.max(startedAtMs, context.phaseStartedAtMs);
    if (runningMs < tooEarlyMs || slices.done() < total * tooEarlyShare) return 'too_early';
    if (slices.count() < minSamples) return 'few_samples';
    return slices.spread() > unsteadySpread ? 'unsteady' : null;
  };

  return {
    add: (sample) => {
      // The end of a stall counts as a resume, because the stall does not predict the speed after it.
      if (sample.done > slices.done() && isStalled(sample.atMs)) start(sample, 'speed');
      else slices.add(sample.atMs, sample.done);
    },
    reset: (atMs, done) => start({ atMs, done: Number.isFinite(done) ? done : 0 }, 'all'),
    read: (atMs, context) => {
      const running = context.state === 'running';
      const stalled = running && isStalled(atMs);
      const rate = running ? (stalled ? 0 : slices.rate(atMs)) : null;
      const sinceProgressMs = Math.round(slices.sinceProgressMs(atMs));
      const why = absence(atMs, context, stalled);
      if (why !== null || context.total === null || rate === null || rate <= 0) {
        smoother.reset();
        return { rate, etaMs: null, etaAbsence: why ?? 'few_samples', stalled, sinceProgressMs };
      }
      const leftMs = (Math.max(0, context.total - slices.done()) / rate) * 1000;
      const etaMs = Math.round(smoother.smooth(atMs, leftMs));
      // A rate near zero gives an infinite ETA, which is reported as absent.
      if (!Number.isFinite(etaMs))
        return { rate, etaMs: null, etaAbsence: 'unsteady', stalled, sinceProgressMs };
      return { rate, etaMs, etaAbsence: null, stalled, sinceProgressMs };
    },
  };
}
