const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;
const step = 1024;

/** Shown instead of NaN, Infinity and negative numbers. */
const noNumber = '–';

/**
 * Bytes in IEC units with one decimal from 1 to 99.9: `0 B`, `512 B`, `1.5 KiB`, `99.9 MiB`, `100 GiB`.
 *
 * @param bytes 0 or more; anything else reads `–`
 * @param options `rounding`: `down` for an amount done, so it reads like the total only at the end; `nearest` for
 * sizes. @default 'nearest'
 */
export function formatBytes(bytes: number, options: { rounding?: 'nearest' | 'down' } = {}): string {
  if (!Number.isFinite(bytes) || bytes < 0) return noNumber;
  const round = options.rounding === 'down' ? Math.floor : Math.round;
  let power = 0;
  let value = bytes;
  while (value >= step && power < byteUnits.length - 1) {
    value /= step;
    power += 1;
  }
  let text = shorten(value, power, round);
  // 1023.99 KiB rounds up to 1024 KiB, which is written 1.0 MiB.
  if (Number(text) >= step && power < byteUnits.length - 1) {
    power += 1;
    text = shorten(value / step, power, round);
  }
  return `${text} ${byteUnits[power] ?? 'B'}`;
}

function shorten(value: number, power: number, round: (value: number) => number): string {
  if (power === 0) return String(round(value));
  const tenths = round(value * 10);
  return tenths < 1000 ? (tenths / 10).toFixed(1) : String(round(value));
}

/** A rate as text: `412 MiB/s`; `–` for what {@link formatBytes} refuses. */
export function formatRate(bytesPerSecond: number): string {
  const text = formatBytes(bytesPerSecond);
  return text === noNumber ? text : `${text}/s`;
}

/**
 * The percentage done, with one decimal, rounded **down**: 100 appears only at the end.
 *
 * @returns 0 to 100; `null` if the total is unknown or a number is invalid
 */
export function percent(done: number, total: number | null): number | null {
  if (total === null || !Number.isFinite(done) || !Number.isFinite(total) || done < 0 || total < 0)
    return null;
  if (done >= total) return 100;
  return tenthsDone(done, total) / 10;
}

function tenthsDone(done: number, total: number): number {
  // Beyond 2^53 / 1000 bytes (8 TiB) the product of doubles could round up.
  if (Number.isInteger(done) && Number.isInteger(total))
    return Number((BigInt(done) * 1000n) / BigInt(total));
  return Math.min(999, Math.floor((done / total) * 1000));
}

/** {@link percent} with exactly one decimal, e.g. `61.0`; `null` if unknown. */
export function formatPercent(done: number, total: number | null): string | null {
  const value = percent(done, total);
  return value === null ? null : value.toFixed(1);
}

/**
 * A duration in clock form, without words to translate: `0:42`, `12:05`, `1:02:03`, `49:00:00`.
 *
 * @param durationMs 0 or more; anything else reads `–`
 */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs) || durationMs < 0) return noNumber;
  const seconds = Math.floor(durationMs / 1000);
  const parts = [Math.floor((seconds % 3600) / 60), seconds % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
