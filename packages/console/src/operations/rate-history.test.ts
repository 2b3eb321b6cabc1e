import { describe, expect, it } from 'vitest';
import { RateHistory, sparkline } from './rate-history.ts';

const running = 'running' as const;

describe('RateHistory', () => {
  it('keeps one sample per moment of a running operation', () => {
    const history = new RateHistory();
    history.add({ elapsedMs: 0, rate: null, state: running });
    history.add({ elapsedMs: 100, rate: 5, state: running });
    history.add({ elapsedMs: 100, rate: 5, state: running });
    history.add({ elapsedMs: 200, rate: 6, state: 'paused' });
    history.add({ elapsedMs: 300, rate: 0, state: running });
    expect(history.samples).toEqual([
      { elapsedMs: 100, rate: 5 },
      { elapsedMs: 300, rate: 0 },
    ]);
  });

  it('stays small over hours and keeps the first and the last sample', () => {
    const history = new RateHistory();
    for (let elapsedMs = 0; elapsedMs <= 3_600_000; elapsedMs += 100)
      history.add({ elapsedMs, rate: 7, state: running });
    expect(history.samples.length).toBeLessThanOrEqual(240);
    expect(history.samples.length).toBeGreaterThan(60);
    expect(history.samples[0]?.elapsedMs).toBe(0);
    expect(history.samples.at(-1)?.elapsedMs).toBeGreaterThan(3_500_000);
  });
});

describe('sparkline', () => {
  const size = { width: 100, height: 10 };

  it('is scaled from 0 to the peak', () => {
    const samples = [
      { elapsedMs: 0, rate: 0 },
      { elapsedMs: 50, rate: 20 },
      { elapsedMs: 100, rate: 10 },
    ];
    expect(sparkline(samples, size)).toEqual({
      line: 'M0.0,10.0L50.0,0.0L100.0,5.0',
      area: 'M0.0,10.0L50.0,0.0L100.0,5.0L100,10L0,10Z',
      peak: 20,
    });
  });

  it('is empty for a single sample and for zeros only', () => {
    expect(sparkline([{ elapsedMs: 0, rate: 5 }], size).line).toBe('');
    const zeros = [0, 1].map((elapsedMs) => ({ elapsedMs, rate: 0 }));
    expect(sparkline(zeros, size)).toEqual({ line: '', area: '', peak: 0 });
  });
});
