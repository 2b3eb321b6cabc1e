import { performance } from 'node:perf_hooks';

export interface InputBudgetOptions {
  /** @default 65536, about ten times what a hand and a page cause */
  bytesPerSecond?: number;
  /** Bytes after a pause. @default 131072 */
  burstBytes?: number;
}

/** What handling one message costs beside its bytes. */
const messageBytes = 48;

/** Limits the work that one socket can cause on the event loop that all users share. */
export interface InputBudget {
  /** Spends for bytes or a message that arrived. @returns the milliseconds to read nothing */
  spend(cost: { bytes: number } | 'message'): number;
}

/** A token bucket. What has arrived is always handled, so the balance may become negative. */
export function createInputBudget({
  bytesPerSecond = 65_536,
  burstBytes = 131_072,
}: InputBudgetOptions = {}): InputBudget {
  let [balance, atMs] = [burstBytes, performance.now()];
  return {
    spend(cost) {
      const nowMs = performance.now();
      balance = Math.min(burstBytes, balance + ((nowMs - atMs) / 1000) * bytesPerSecond);
      balance -= cost === 'message' ? messageBytes : cost.bytes;
      atMs = nowMs;
      return balance >= 0 ? 0 : (-balance / bytesPerSecond) * 1000;
    },
  };
}
