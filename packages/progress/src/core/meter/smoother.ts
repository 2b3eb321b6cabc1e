/** Smooths an ETA: it counts down with the clock and moves towards each new estimate. */
export interface EtaSmoother {
  /** @returns the time left to show, given the newest estimate */
  smooth(atMs: number, leftMs: number): number;
  reset(): void;
}

/** Time between corrections. The estimate is already averaged, so slower corrections would add more delay. */
const correctionMs = 250;
const shareOfFall = 0.3;
const shareOfRise = 0.1;
/**
 * An estimate below this fraction of the shown value replaces the value at once, because such a fall is not noise.
 */
const replaceBelow = 0.5;

export function createEtaSmoother(): EtaSmoother {
  let shownMs: number | null = null;
  let shownAtMs = 0;

  return {
    smooth: (atMs, leftMs) => {
      if (shownMs === null) {
        shownMs = leftMs;
        shownAtMs = atMs;
        return leftMs;
      }
      const elapsedMs = Math.max(0, atMs - shownAtMs);
      const expectedMs = Math.max(0, shownMs - elapsedMs);
      if (leftMs < expectedMs * replaceBelow) {
        shownMs = leftMs;
        shownAtMs = atMs;
        return leftMs;
      }
      if (elapsedMs < correctionMs) return expectedMs;
      // The fractions apply per correction. A reader that reads less often applies several corrections in one step.
      const share = leftMs < expectedMs ? shareOfFall : shareOfRise;
      const totalShare = 1 - (1 - share) ** (elapsedMs / correctionMs);
      shownMs = expectedMs + (leftMs - expectedMs) * totalShare;
      shownAtMs = atMs;
      return shownMs;
    },
    reset: () => {
      shownMs = null;
    },
  };
}
