const MIB = 1024 ** 2;
const START_BYTES = 16 * MIB;
const LEAST_BYTES = MIB;
const MOST_BYTES = 256 * MIB;
/** A window shall take this long, copy and wait together: short enough to cancel, long enough to cost nothing. */
const AIM_MS = { least: 50, middle: 75, most: 100 };
/** With a limit, a window is at most this part of a second's allowance. */
const LIMITED_SHARE = 0.25;
const LEAST_LIMITED_BYTES = 4096;

export interface WindowSize {
  /** Bytes of the next window under the limit of the moment. */
  next(bytesPerSecond: number | null): number;
  /** Learns from a full window. */
  learn(elapsedMs: number): void;
}

/** Windows that grow on a fast storage and shrink on a slow one. */
export function createWindowSize(): WindowSize {
  let sizeBytes = START_BYTES;
  return {
    next(bytesPerSecond) {
      if (bytesPerSecond === null) return sizeBytes;
      const limited = Math.max(LEAST_LIMITED_BYTES, Math.floor(bytesPerSecond * LIMITED_SHARE));
      return Math.min(sizeBytes, limited);
    },
    learn(elapsedMs) {
      if (elapsedMs >= AIM_MS.least && elapsedMs <= AIM_MS.most) return;
      const factor = Math.min(2, Math.max(0.25, AIM_MS.middle / Math.max(elapsedMs, 1)));
      const wanted = Math.floor((sizeBytes * factor) / MIB) * MIB;
      sizeBytes = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, wanted));
    },
  };
}
