import type { BrowserContext } from 'playwright-core';
import { afterEach } from 'vitest';

/** Closes the contexts in the returned list after each test. Call it at the top level of a test file. */
export function closeContextsAfterEach(): BrowserContext[] {
  const contexts: BrowserContext[] = [];
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  return contexts;
}
