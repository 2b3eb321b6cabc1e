const mib = 1024 ** 2;
const startBytes = 16 * mib;
const minBytes = mib;
const maxBytes = 256 * mib;
/** Time for one window, copy and wait included: short enough to cancel, long enough that the overhead is small. */
const targetMs = { least: 50, middle: 75, most: 100 };
/** With a limit, a window is at most this share of the bytes allowed per second. */
const limitedShare = 0.25;
const minLimitedBytes = 4096;

export interface WindowSize {
  /** Bytes of the next window under the current limit. */
  next(bytesPerSecond: number | null): number;
  /** Adapts the size to the time that a full window took. */
  learn(elapsedMs: number): void;
}

/** Window sizes that grow on fast storage and shrink on slow storage. */
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
