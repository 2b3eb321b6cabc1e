import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { createMeter } from './meter.ts';
import type { Meter } from './meter.ts';

type MeterSample = Parameters<Meter['add']>[0];
type MeterReading = ReturnType<Meter['read']>;
import type { OperationState } from './snapshot.ts';

const mebibyte = 1024 * 1024;

/** Trace of 4 MiB blocks written and synced on a virtual disk, with a slow start and a dip at 17 s: [ms, MiB]. */
const recordedTrace: readonly [number, number][] = JSON.parse(
  '[[0,0],[502,176],[1003,668],[1504,1340],[2005,2000],[2505,2640],[3006,3288],[3507,3936],[4008,4600],[4508,5272],' +
    '[5009,5920],[5510,6492],[6011,7128],[6512,7760],[7013,8376],[7514,8980],[8014,9620],[8515,10212],[9016,10836],' +
    '[9517,11508],[10018,12156],[10519,12816],[11020,13420],[11521,14040],[12020,14708],[12521,15352],[13022,16004],' +
    '[13523,16636],[14024,17288],[14523,17876],[15024,18460],[15526,19052],[16026,19716],[16527,20272],[17028,20812],' +
    '[17530,21188],[18030,21492],[18531,21964],[19032,22616],[19533,23276],[20034,23948],[20283,24004]]',
) as [number, number][];

/** A seeded generator, so that every run has the same noise. */
function createNoise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

interface TimedReading extends MeterReading {
  atMs: number;
  done: number;
}

/** Plays a trace as the hub does: a sample and a reading at every tick. */
function play(
  trace: readonly MeterSample[],
  total: number | null,
  state: OperationState = 'running',
): TimedReading[] {
  const meter = createMeter();
  const [first] = trace;
  const startMs = first?.atMs ?? 0;
  meter.reset(startMs, first?.done ?? 0);
  return trace.slice(1).map((sample) => {
    meter.add(sample);
    const reading = meter.read(sample.atMs, { total, state, phaseStartedAtMs: startMs });
    return { ...reading, atMs: sample.atMs, done: sample.done };
  });
}

/** Samples every 100 ms until `total` is done, at the speed (units per second) that `speed` says. */
function trace(total: number, speed: (atMs: number) => number, from = 0): MeterSample[] {
  const samples: MeterSample[] = [{ atMs: 0, done: from }];
  let done = from;
  for (let atMs = 100; done < total && atMs < 3_600_000; atMs += 100) {
    done = Math.min(total, done + Math.max(0, speed(atMs)) / 10);
    samples.push({ atMs, done: Math.floor(done) });
  }
  return samples;
}

const relativeError = (readings: TimedReading, endMs: number): number =>
  Math.abs((readings.etaMs ?? Number.NaN) - (endMs - readings.atMs)) / (endMs - readings.atMs);

describe('meter', () => {
  it('estimates within 20 % from 10 % done at a steady speed', () => {
    const total = 10_000 * mebibyte;
    const noise = createNoise(7);
    // ±40 % from tick to tick, like write-back at 10 Hz.
    const readings = play(
      trace(total, () => 100 * mebibyte * (0.6 + 0.8 * noise())),
      total,
    );
    const endMs = readings.at(-1)?.atMs ?? 0;
    const judged = readings.filter(({ done, atMs }) => done >= total / 10 && endMs - atMs > 2000);
    expect(judged.length).toBeGreaterThan(500);
    for (const reading of judged) expect(relativeError(reading, endMs)).toBeLessThanOrEqual(0.2);
  });

  it('estimates within 20 % or 2 s on a recorded disk trace with a dip', () => {
    const samples = recordedTrace.map(([atMs, mib]) => ({ atMs, done: mib * mebibyte }));
    const total = samples.at(-1)?.done ?? 0;
    const endMs = samples.at(-1)?.atMs ?? 0;
    const judged = play(samples, total).filter(({ etaMs }) => etaMs !== null);
    expect(judged.length).toBeGreaterThan(25);
    for (const { etaMs, atMs } of judged) {
      const error = Math.abs((etaMs ?? 0) - (endMs - atMs));
      expect(error).toBeLessThanOrEqual(Math.max(2000, 0.2 * (endMs - atMs)));
    }
  });

  it('gives no ETA while a burst ends, then estimates with the slow speed', () => {
    const total = 6000 * mebibyte;
    // Three seconds at the speed of the page cache, then at the speed of the disk.
    const readings = play(
      trace(total, (atMs) => (atMs <= 3000 ? 1000 * mebibyte : 50 * mebibyte)),
      total,
    );
    const endMs = readings.at(-1)?.atMs ?? 0;
    const isOpen = ({ atMs }: TimedReading): boolean => atMs >= 5000 && atMs < 11_000;
    expect(new Set(readings.filter(isOpen).map(({ etaAbsence }) => etaAbsence))).toEqual(
      new Set(['unsteady']),
    );
    const judged = readings.filter(({ atMs }) => atMs >= 12_000 && endMs - atMs > 2000);
    expect(judged.length).toBeGreaterThan(400);
    for (const reading of judged) expect(relativeError(reading, endMs)).toBeLessThanOrEqual(0.2);
  });

  it('reports a stall after 10 s without rate or ETA, and recovers', () => {
    const total = 3000 * mebibyte;
    const readings = play(
      trace(total, (atMs) => (atMs > 10_000 && atMs <= 40_000 ? 0 : 100 * mebibyte)),
      total,
    );
    const at = (atMs: number): TimedReading =>
      readings.find((reading) => reading.atMs === atMs) as TimedReading;
    expect(at(19_900)).toMatchObject({ stalled: false });
    expect(at(20_200)).toMatchObject({ stalled: true, etaMs: null, etaAbsence: 'stalled', rate: 0 });
    expect(at(40_000).sinceProgressMs).toBe(30_000);
    expect(at(40_200)).toMatchObject({ stalled: false, sinceProgressMs: 0 });
    const endMs = readings.at(-1)?.atMs ?? 0;
    expect(at(44_000).etaAbsence).toBe('too_early');
    expect(relativeError(at(50_000), endMs)).toBeLessThan(0.2);
  });

  it('reports a stall after five usual gaps when steps are rare', () => {
    const meter = createMeter();
    meter.reset(0, 0);
    for (let step = 1; step <= 10; step += 1) meter.add({ atMs: step * 6000, done: step });
    const context = { total: 100, state: 'running', phaseStartedAtMs: 0 } as const;
    expect(meter.read(60_000 + 29_000, context).stalled).toBe(false);
    expect(meter.read(60_000 + 31_000, context).stalled).toBe(true);
  });

  it('measures only progress since a resume at 60 %', () => {
    const total = 1000 * mebibyte;
    const readings = play(
      trace(total, () => 10 * mebibyte, 600 * mebibyte),
      total,
    );
    const endMs = readings.at(-1)?.atMs ?? 0;
    const judged = readings.filter(({ etaMs, atMs }) => etaMs !== null && endMs - atMs > 2000);
    expect(judged.length).toBeGreaterThan(100);
    for (const reading of judged) {
      expect(reading.rate).toBeLessThan(11 * mebibyte);
      expect(relativeError(reading, endMs)).toBeLessThanOrEqual(0.2);
    }
  });

  it('gives a rate but no ETA when the total is unknown', () => {
    const readings = play(
      trace(2000 * mebibyte, () => 100 * mebibyte),
      null,
    );
    expect(readings.every(({ etaMs, etaAbsence }) => etaMs === null && etaAbsence === 'total_unknown')).toBe(
      true,
    );
    expect(readings.at(-1)?.rate).toBeGreaterThan(99 * mebibyte);
  });

  it('gives the reason for a missing ETA: too early, few samples, not running', () => {
    const total = 10_000 * mebibyte;
    const steady = trace(total, () => 100 * mebibyte);
    const readings = play(steady, total);
    expect(readings.find(({ atMs }) => atMs === 4900)?.etaAbsence).toBe('too_early');
    expect(readings.find(({ atMs }) => atMs === 5900)?.etaAbsence).toBeNull();
    const slow = play(
      steady.filter(({ atMs }) => atMs % 4000 === 0),
      total,
    );
    expect(slow.find(({ atMs }) => atMs === 12_000)?.etaAbsence).toBe('few_samples');
    for (const state of ['queued', 'paused', 'cancelling', 'interrupted', 'succeeded'] as const) {
      expect(play(steady.slice(0, 200), total, state).at(-1)).toMatchObject({
        rate: null,
        etaMs: null,
        etaAbsence: 'not_running',
        stalled: false,
      });
    }
  });

  it('follows a lower estimate quickly, a higher one slowly, and a halving at once', () => {
    const total = 100_000 * mebibyte;
    const readings = play(
      trace(total, (atMs) => (atMs < 60_000 ? 10 * mebibyte : 400 * mebibyte)).slice(0, 1500),
      total,
    );
    const etas = readings.map(({ etaMs }) => etaMs).filter((etaMs) => etaMs !== null);
    const rises = etas.filter((etaMs, index) => index > 0 && etaMs > (etas[index - 1] ?? etaMs) * 1.11);
    expect(rises).toEqual([]);
    expect(etas.at(-1)).toBeLessThan(etas[0] ?? 0);
  });

  it('never returns NaN, Infinity or a negative number, whatever the samples', () => {
    const sample = fc.record({
      gapMs: fc.integer({ min: -50, max: 60_000 }),
      moved: fc.double({ noNaN: false }),
    });
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 60 }),
        fc.option(fc.double({ noNaN: false })),
        (samples, total) => {
          const meter = createMeter();
          meter.reset(0, 0);
          let atMs = 0;
          let done = 0;
          for (const { gapMs, moved } of samples) {
            atMs += gapMs;
            done += moved;
            meter.add({ atMs, done });
            const { rate, etaMs, etaAbsence, sinceProgressMs } = meter.read(atMs, {
              total,
              state: 'running',
              phaseStartedAtMs: 0,
            });
            expect(rate === null || (Number.isFinite(rate) && rate >= 0)).toBe(true);
            expect(etaMs === null || (Number.isFinite(etaMs) && etaMs >= 0)).toBe(true);
            expect(Number.isFinite(sinceProgressMs) && sinceProgressMs >= 0).toBe(true);
            expect((etaMs === null) === (etaAbsence !== null)).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps its numbers when a caller reports what is not a number', () => {
    const meter = createMeter();
    meter.reset(0, Number.NaN);
    for (let atMs = 1000; atMs <= 20_000; atMs += 1000) {
      meter.add({ atMs, done: atMs });
      meter.add({ atMs: atMs + 500, done: Number.NaN });
    }
    const context = { total: 100_000, state: 'running', phaseStartedAtMs: 0 } as const;
    expect(meter.read(20_000, context)).toMatchObject({
      rate: expect.closeTo(1000, 3) as number,
      etaAbsence: null,
      stalled: false,
    });
  });
});
