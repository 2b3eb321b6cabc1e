import type { RetentionClock } from './retention-clock.ts';

/** A retention clock that a test moves. */
export interface TestRetention extends RetentionClock {
  aheadMs: number;
}

export function createTestRetention(): TestRetention {
  const retention = {
    aheadMs: 0,
    nowMs: () => Date.now() + retention.aheadMs,
    isoNow: () => new Date(retention.nowMs()).toISOString(),
  };
  return retention;
}
