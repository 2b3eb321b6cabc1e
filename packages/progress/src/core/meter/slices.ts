import { createMovingAverage } from './average.ts';

/**
 * The samples of a meter, summed in slices of at least a second. Samples at 10 Hz vary with the kernel's write-back.
 * Slices average this variation.
 */
export interface Slices {
  /** @param what `all`, or `speed` to keep the usual gap between samples, as after a stall */
  reset(sample: { atMs: number; done: number }, what: 'all' | 'speed'): void;
  add(atMs: number, done: number): void;
  done(): number;
  count(): number;
  /** Moving average in units per second; `null` before the first slice. */
  rate(atMs: number): number | null;
  /** Mean distance of the last slices from the average, as a fraction of the average. */
  spread(): number;
  /** Median time between two samples with progress. */
  usualGapMs(): number;
  sinceProgressMs(atMs: number): number;
}

const sliceMs = 1000;
const maxRemembered = 8;
const maxAgreeingSpread = 0.25;
const changedFactor = 1.5;

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function remember(values: number[], value: number): void {
  values.push(value);
  if (values.length > maxRemembered) values.shift();
}

function spreadAround(middle: number, values: readonly number[]): number {
  return middle <= 0 ? 0 : mean(values.map((value) => Math.abs(value - middle))) / middle;
}

/**
 * True when the speed has changed permanently: the last slices agree with each other but not with the average.
 * This happens after a burst into the page cache, where the average alone would be wrong for half a minute.
 */
function hasChanged(average: number, rates: readonly number[]): boolean {
  const recent = mean(rates);
  if (rates.length < maxRemembered || spreadAround(recent, rates) > maxAgreeingSpread) return false;
  return average > recent * changedFactor || average < recent / changedFactor;
}

export function createSlices(halfLifeMs: number): Slices {
  const average = createMovingAverage(halfLifeMs);
  let doneNow = 0;
  let progressAtMs = 0;
  let sliceFromMs = 0;
  let sliceFromDone = 0;
  let count = 0;
  const rates: number[] = [];
  const gapsMs: number[] = [];

  const usualGapMs = (): number => median(gapsMs);

  return {
    reset: ({ atMs, done }, what) => {
      doneNow = done;
      progressAtMs = sliceFromMs = atMs;
      sliceFromDone = done;
      count = 0;
      average.reset();
      rates.length = 0;
      if (what === 'all') gapsMs.length = 0;
    },
    add: (atMs, done) => {
      // Ignores a clock or counter that goes backwards; the hub reports it.
      if (!Number.isFinite(done) || done <= doneNow || atMs <= progressAtMs) return;
      remember(gapsMs, atMs - progressAtMs);
      progressAtMs = atMs;
      doneNow = done;
      const ms = atMs - sliceFromMs;
      if (ms < sliceMs) return;
      const unitsPerSecond = ((done - sliceFromDone) / ms) * 1000;
      average.add(unitsPerSecond, ms);
      remember(rates, unitsPerSecond);
      if (hasChanged(average.read() ?? 0, rates)) {
        average.restart(mean(rates), maxRemembered * sliceMs);
      }
      count += 1;
      sliceFromMs = atMs;
      sliceFromDone = done;
    },
    done: () => doneNow,
    count: () => count,
    rate: (atMs) => {
      const measured = average.read();
      if (measured === null) return null;
      // A gap longer than usual lowers the rate before the next sample arrives.
      const silentMs = Math.max(0, atMs - progressAtMs - 2 * Math.max(usualGapMs(), sliceMs));
      return measured * average.decay(silentMs);
    },
    spread: () => spreadAround(average.read() ?? 0, rates),
    usualGapMs,
    sinceProgressMs: (atMs) => Math.max(0, atMs - progressAtMs),
  };
}
