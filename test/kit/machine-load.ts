import type { Page } from 'playwright-core';

const intervalMs = 100;

/**
 * From now on: by how much the page's own timers came late, in all. What a busy machine takes from a page is not the
 * page's doing, and a bound in seconds is judged without it.
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
