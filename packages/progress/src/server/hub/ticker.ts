import { performance } from 'node:perf_hooks';

/** Calls `work` at most every `tickMs`, and less often by itself when the event loop has no time. */
export interface Ticker {
  /** Makes sure that a tick comes; without one nothing runs. */
  arm(): void;
  /** What the next pause will be, in ms. */
  intervalMs(): number;
  stop(): void;
}

/** Of the event loop's time, the tick and what it makes late may take a quarter. */
const share = 4;
const slowestMs = 1000;

/** @param work returns whether another tick is needed */
export function createTicker(tickMs: number, work: () => boolean): Ticker {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let dueAtMs = 0;
  let strainMs = 0;

  const intervalMs = (): number => Math.max(tickMs, Math.min(slowestMs, Math.round(share * strainMs)));

  const arm = (): void => {
    if (timer !== null || stopped) return;
    const pauseMs = intervalMs();
    dueAtMs = performance.now() + pauseMs;
    // A hub alone keeps no process alive: its publishers and its server do.
    timer = setTimeout(run, pauseMs).unref();
  };

  const run = (): void => {
    timer = null;
    const startedAtMs = performance.now();
    const lagMs = Math.max(0, startedAtMs - dueAtMs);
    const again = work();
    const tookMs = performance.now() - startedAtMs;
    // Half of the past: one late tick slows the next few, not the next minute.
    strainMs = strainMs / 2 + (lagMs + tookMs) / 2;
    if (again) arm();
  };

  return {
    arm,
    intervalMs,
    stop: () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
