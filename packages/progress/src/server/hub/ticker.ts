import { performance } from 'node:perf_hooks';

/** Calls `work` at most every `tickMs`, and less often when the event loop is busy. */
export interface Ticker {
  /** Schedules the next tick unless one is scheduled. */
  arm(): void;
  /** Time until the next tick, in ms. */
  intervalMs(): number;
  stop(): void;
}

/** The interval is at least this multiple of tick time plus lag, so ticks take at most a quarter of the time. */
const loadFactor = 4;
const maxIntervalMs = 1000;

/** @param work runs at each tick and returns whether another tick is needed */
export function createTicker(tickMs: number, work: () => boolean): Ticker {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let dueAtMs = 0;
  let loadMs = 0;

  const intervalMs = (): number => Math.max(tickMs, Math.min(maxIntervalMs, Math.round(loadFactor * loadMs)));

  const arm = (): void => {
    if (timer !== null || stopped) return;
    const pauseMs = intervalMs();
    dueAtMs = performance.now() + pauseMs;
    // The hub alone does not keep the process alive.
    timer = setTimeout(run, pauseMs).unref();
  };

  const run = (): void => {
    timer = null;
    const startedAtMs = performance.now();
    const lagMs = Math.max(0, startedAtMs - dueAtMs);
    const isTickNeeded = work();
    const tookMs = performance.now() - startedAtMs;
    // A moving average, so that one late tick slows only the next few ticks.
    loadMs = loadMs / 2 + (lagMs + tookMs) / 2;
    if (isTickNeeded) arm();
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
