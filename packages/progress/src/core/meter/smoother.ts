/** Lets an ETA follow its estimate without jumping: it counts down by itself and is corrected on the way. */
export interface EtaSmoother {
  /** Takes the newest estimate of what is left, returns what to show. */
  take(atMs: number, leftMs: number): number;
  reset(): void;
}

/** The average behind the estimate is slow already: corrections by the second would lag ten of them. */
const correctionMs = 250;
const shareOfFall = 0.3;
const shareOfRise = 0.1;
/** A new value below this share of the shown one is a new situation, not noise. */
const atOnceBelow = 0.5;

export function createEtaSmoother(): EtaSmoother {
  let shownMs: number | null = null;
  let shownAtMs = 0;

  return {
    take: (atMs, leftMs) => {
      if (shownMs === null) {
        shownMs = leftMs;
        shownAtMs = atMs;
        return leftMs;
      }
      const passedMs = Math.max(0, atMs - shownAtMs);
      const expectedMs = Math.max(0, shownMs - passedMs);
      if (leftMs < expectedMs * atOnceBelow) {
        shownMs = leftMs;
        shownAtMs = atMs;
        return leftMs;
      }
      if (passedMs < correctionMs) return expectedMs;
      // The shares are per correction: a reader that looks less often gets as far in one step.
      const share = leftMs < expectedMs ? shareOfFall : shareOfRise;
      const taken = 1 - (1 - share) ** (passedMs / correctionMs);
      shownMs = expectedMs + (leftMs - expectedMs) * taken;
      shownAtMs = atMs;
      return shownMs;
    },
    reset: () => {
      shownMs = null;
    },
  };
}
