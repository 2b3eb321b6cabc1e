import type { Page } from 'playwright-core';

const intervalMs = 100;

/**
 * Measures the total delay of the page's timers since this call. Tests subtract the delay from durations, so that a
 * busy computer does not exceed a limit in seconds.
 */
export async function measureTimerDelay(page: Page): Promise<() => Promise<number>> {
  await page.evaluate((everyMs) => {
    let lastMs = performance.now();
    let lateMs = 0;
    const look = (): number => {
      const nowMs = performance.now();
      lateMs += Math.max(0, nowMs - lastMs - everyMs);
      lastMs = nowMs;
      return lateMs;
    };
    setInterval(look, everyMs);
    (globalThis as unknown as { wccLateMs: () => number }).wccLateMs = look;
  }, intervalMs);
  return () => page.evaluate(() => (globalThis as unknown as { wccLateMs: () => number }).wccLateMs());
}
