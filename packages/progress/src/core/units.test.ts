import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { roundEta } from './eta.ts';
import type { RoundedEta } from './eta.ts';
import { formatBytes, formatDuration, formatPercent, formatRate, percent } from './units.ts';

const gib = 1024 ** 3;
const bytesText = /^(\d{1,4} B|([1-9]\d?\.\d|[1-9]\d{2,3}) [KMGTPE]iB)$/;
const amount = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.integer({ min: 0, max: 2000 }));

describe('percent', () => {
  it.each([
    [0, 100, '0.0'],
    [999, 1000, '99.9'],
    [9999, 10_000, '99.9'],
    [1000, 1000, '100.0'],
    [7, 10, '70.0'],
    [2, 3, '66.6'],
    [0, 0, '100.0'],
  ])('formats %d of %d as %s', (done, total, text) => {
    expect(formatPercent(done, total)).toBe(text);
  });

  it('is null for an unknown total or invalid numbers', () => {
    for (const [done, total] of [
      [1, null],
      [Number.NaN, 5],
      [1, Number.NaN],
      [-1, 5],
      [1, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(percent(done, total)).toBeNull();
    }
  });

  it('is 100 only at the end, and never more than the real share', () => {
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        const [done, total] = a < b ? [a, b] : [b, a];
        const value = percent(done, total) as number;
        expect(value === 100).toBe(done === total);
        const tenths = BigInt(Math.round(value * 10));
        expect(tenths * BigInt(total) <= BigInt(done) * 1000n).toBe(true);
        expect(done === total || (tenths + 1n) * BigInt(total) > BigInt(done) * 1000n).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('stays below 100 for fractions too', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        (a, b) => {
          fc.pre(a < b);
          expect(percent(a, b)).toBeLessThan(100);
        },
      ),
    );
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [99.94 * 1024, '99.9 KiB'],
    [99.96 * 1024, '100 KiB'],
    [1023.4 * 1024, '1023 KiB'],
    [1023.9 * 1024, '1.0 MiB'],
    [2.4 * gib, '2.4 GiB'],
    [40 * gib, '40.0 GiB'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
  ])('formats %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('rounds an amount done down', () => {
    expect(formatBytes(3.99 * gib, { rounding: 'down' })).toBe('3.9 GiB');
    expect(formatBytes(1023.99 * 1024, { rounding: 'down' })).toBe('1023 KiB');
  });

  it('has one decimal from 1 to 99.9, none above, and never the number 1024', () => {
    fc.assert(
      fc.property(fc.oneof(amount, fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })), (bytes) => {
        for (const rounding of ['nearest', 'down'] as const) {
          const text = formatBytes(bytes, { rounding });
          expect(bytes > 1e18 || bytesText.test(text)).toBe(true);
          expect(text).not.toMatch(/^1024|NaN|Infinity|undefined/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('shows a dash for an invalid number', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      expect(formatBytes(value)).toBe('–');
      expect(formatRate(value)).toBe('–');
      expect(formatDuration(value)).toBe('–');
    }
  });
});

describe('formatRate and formatDuration', () => {
  it('format a rate and a clock', () => {
    expect(formatRate(412 * 1024 ** 2)).toBe('412 MiB/s');
    expect(formatDuration(42_900)).toBe('0:42');
    expect(formatDuration(725_000)).toBe('12:05');
    expect(formatDuration(3_723_000)).toBe('1:02:03');
    expect(formatDuration(49 * 3_600_000)).toBe('49:00:00');
  });
});

describe('roundEta', () => {
  it.each([
    [0, { kind: 'few_seconds' }],
    [4999, { kind: 'few_seconds' }],
    [5000, { kind: 'seconds', seconds: 5 }],
    [57_000, { kind: 'seconds', seconds: 55 }],
    [58_000, { kind: 'minutes', minutes: 1 }],
    [80_000, { kind: 'minutes', minutes: 1.5 }],
    [590_000, { kind: 'minutes', minutes: 10 }],
    [650_000, { kind: 'minutes', minutes: 11 }],
    [59.4 * 60_000, { kind: 'minutes', minutes: 59 }],
    [59.6 * 60_000, { kind: 'hours', hours: 1, minutes: 0 }],
    [64 * 60_000, { kind: 'hours', hours: 1, minutes: 5 }],
    [23.99 * 3_600_000, { kind: 'hours', hours: 24, minutes: 0 }],
    [24.1 * 3_600_000, { kind: 'more_than_a_day' }],
    [Number.POSITIVE_INFINITY, { kind: 'more_than_a_day' }],
    [Number.NaN, { kind: 'more_than_a_day' }],
    [-5, { kind: 'few_seconds' }],
  ])('rounds %d ms', (etaMs, rounded) => {
    expect(roundEta(etaMs)).toEqual(rounded);
  });

  it('returns only the documented steps and never zero', () => {
    const isInSteps = (eta: RoundedEta): boolean => {
      if (eta.kind === 'seconds') return eta.seconds % 5 === 0 && eta.seconds >= 5 && eta.seconds < 60;
      if (eta.kind === 'minutes') return eta.minutes >= 1 && eta.minutes < 60 && (eta.minutes * 2) % 1 === 0;
      if (eta.kind === 'hours') return eta.hours >= 1 && eta.hours <= 24 && eta.minutes % 5 === 0;
      return true;
    };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000 }), (etaMs) => {
        expect(isInSteps(roundEta(etaMs))).toBe(true);
      }),
    );
  });
});
