import type { BrowserContext } from 'playwright-core';
import { afterEach } from 'vitest';

/** For the top of a test file: what is pushed here is closed after the test that did so. */
export function closeContextsAfterEach(): BrowserContext[] {
  const contexts: BrowserContext[] = [];
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  return contexts;
}
