import { throwIfStopped } from '../run/control.ts';
import type { CopyRun } from '../run/copy-state.ts';

export interface Pacer {
  /** Sleeps until the limit allows more. A new limit, a pause and a stop end the sleep at once. */
  wait(): void;
  spent(bytes: number): void;
}

/**
 * Enforces `bytesPerSecond`: copied bytes add to a balance that decreases with time. Idle time gives no credit.
 */
export function createPacer(run: CopyRun): Pacer {
  let debtBytes = 0;
  let sinceMs = performance.now();
  const payOff = (limit: number | null): void => {
    const nowMs = performance.now();
    debtBytes = limit === null ? 0 : Math.max(0, debtBytes - ((nowMs - sinceMs) / 1000) * limit);
    sinceMs = nowMs;
  };
  return {
    wait() {
      for (;;) {
        const wakeCount = run.slot.wakeCount();
        const limit = run.slot.limit();
        payOff(limit);
        if (limit === null || debtBytes < 1 || run.slot.isPaused()) return;
        throwIfStopped(run);
        run.slot.sleep(wakeCount, Math.ceil((debtBytes / limit) * 1000));
      }
    },
    spent(bytes) {
      debtBytes += bytes;
    },
  };
}
