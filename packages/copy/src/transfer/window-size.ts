const mib = 1024 ** 2;
const startBytes = 16 * mib;
const minBytes = mib;
const maxBytes = 256 * mib;
/** A window shall take this long, copy and wait together: short enough to cancel, long enough to cost nothing. */
const targetMs = { least: 50, middle: 75, most: 100 };
/** With a limit, a window is at most this part of a second's allowance. */
const limitedShare = 0.25;
const minLimitedBytes = 4096;

export interface WindowSize {
  /** Bytes of the next window under the limit of the moment. */
  next(bytesPerSecond: number | null): number;
  /** Learns from a full window. */
  learn(elapsedMs: number): void;
}

/** Windows that grow on a fast storage and shrink on a slow one. */
export function createWindowSize(): WindowSize {
  let sizeBytes = startBytes;
  return {
    next(bytesPerSecond) {
      if (bytesPerSecond === null) return sizeBytes;
      const limited = Math.max(minLimitedBytes, Math.floor(bytesPerSecond * limitedShare));
      return Math.min(sizeBytes, limited);
    },
    learn(elapsedMs) {
      if (elapsedMs >= targetMs.least && elapsedMs <= targetMs.most) return;
      const factor = Math.min(2, Math.max(0.25, targetMs.middle / Math.max(elapsedMs, 1)));
      const wanted = Math.floor((sizeBytes * factor) / mib) * mib;
      sizeBytes = Math.min(maxBytes, Math.max(minBytes, wanted));
    },
  };
}
