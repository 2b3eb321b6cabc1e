import type { Page } from 'playwright-core';

/** Shifts the clock of every page that this tab opens from now on. */
export async function skewClock(page: Page, skewMs: number): Promise<void> {
  await page.addInitScript((byMs) => {
    const Real = Date;
    const skewed = class extends Real {
      constructor(...given: unknown[]) {
        super(...((given.length === 0 ? [Real.now() + byMs] : given) as []));
      }
      static override now(): number {
        return Real.now() + byMs;
      }
    };
    (globalThis as unknown as { Date: unknown }).Date = skewed;
  }, skewMs);
}
