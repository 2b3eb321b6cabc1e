import { createMovingAverage } from './average.ts';

/**
 * What the meter remembers: units that moved, in slices of at least a second. Samples at 10 Hz carry the
 * rhythm of write-back more than the speed; a slice evens that out and makes "the last samples" comparable.
 */
export interface Slices {
  /** @param what `all`, or `speed`: the rhythm of the samples stays known, as after a stall */
  reset(sample: { atMs: number; done: number }, what: 'all' | 'speed'): void;
  add(atMs: number, done: number): void;
  done(): number;
  count(): number;
  /** Time-weighted, start-corrected moving average in units per second; `null` before anything moved. */
  rate(atMs: number): number | null;
  /** Mean distance of the last slices from the average, as a share of it. */
  spread(): number;
  /** Median time between two samples that moved. */
  usualGapMs(): number;
  sinceMoveMs(atMs: number): number;
}

const sliceMs = 1000;
const remembered = 8;
const agreedSpread = 0.25;
const changedFactor = 1.5;

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function remember(values: number[], value: number): void {
  values.push(value);
  if (values.length > remembered) values.shift();
}

function spreadAround(middle: number, values: readonly number[]): number {
  return middle <= 0 ? 0 : mean(values.map((value) => Math.abs(value - middle))) / middle;
}

/**
 * The speed has changed for good: the last slices agree with each other and not with the average. That is
 * the moment after a burst into the page cache; half-lives of waiting would tell half a minute of untruth.
 */
function hasChanged(average: number, rates: readonly number[]): boolean {
  const recent = mean(rates);
  if (rates.length < remembered || spreadAround(recent, rates) > agreedSpread) return false;
  return average > recent * changedFactor || average < recent / changedFactor;
}

export function createSlices(halfLifeMs: number): Slices {
  const average = createMovingAverage(halfLifeMs);
  let doneNow = 0;
  let movedAtMs = 0;
  let sliceFromMs = 0;
  let sliceFromDone = 0;
  let count = 0;
  const rates: number[] = [];
  const gapsMs: number[] = [];

  const usualGapMs = (): number => median(gapsMs);

  return {
    reset: ({ atMs, done }, what) => {
      doneNow = done;
      movedAtMs = sliceFromMs = atMs;
      sliceFromDone = done;
      count = 0;
      average.reset();
      rates.length = 0;
      if (what === 'all') gapsMs.length = 0;
    },
    add: (atMs, done) => {
      // A clock or a counter that goes back teaches nothing; the hub reports it.
      if (!Number.isFinite(done) || done <= doneNow || atMs <= movedAtMs) return;
      remember(gapsMs, atMs - movedAtMs);
      movedAtMs = atMs;
      doneNow = done;
      const ms = atMs - sliceFromMs;
      if (ms < sliceMs) return;
      const unitsPerSecond = ((done - sliceFromDone) / ms) * 1000;
      average.take(unitsPerSecond, ms);
      remember(rates, unitsPerSecond);
      if (hasChanged(average.read() ?? 0, rates)) {
        average.restart(mean(rates), remembered * sliceMs);
      }
      count += 1;
      sliceFromMs = atMs;
      sliceFromDone = done;
    },
    done: () => doneNow,
    count: () => count,
    rate: (atMs) => {
      const known = average.read();
      if (known === null) return null;
      // Silence longer than usual is already slower, although no sample says so yet.
      const silentMs = Math.max(0, atMs - movedAtMs - 2 * Math.max(usualGapMs(), sliceMs));
      return known * average.decay(silentMs);
    },
    spread: () => spreadAround(average.read() ?? 0, rates),
    usualGapMs,
    sinceMoveMs: (atMs) => Math.max(0, atMs - movedAtMs),
  };
}
