import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  violations: {
    id: string;
    impact: string | null;
    help: string;
    nodes: { target: unknown; html: string }[];
  }[];
}

/** How a page may look: each must pass in both languages. Forced colours are the system's, so one scheme stands for both. */
export const appearances = (['en', 'ja'] as const).flatMap((locale) =>
  (
    [
      { theme: 'light', colorScheme: 'light', forcedColors: 'none' },
      { theme: 'dark', colorScheme: 'dark', forcedColors: 'none' },
      { theme: 'forced colours', colorScheme: 'light', forcedColors: 'active' },
    ] as const
  ).map((theme) => ({ locale, ...theme })),
);

/** For a test that runs axe more than once: it computes a lot, and a busy machine takes its time. */
export const axeTimeoutMs = 400_000;

/** All that axe finds, best practices included. Injected by CDP, which the page's CSP does not bind. */
export async function findAxeViolations(page: Page): Promise<string[]> {
  // Reduced motion ends every transition: a colour half way between two has no contrast that a rule is about.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: (options: object) => Promise<AxeResult> } }).axe.run({
      resultTypes: ['violations'],
    }),
  );
  return violations.flatMap(({ id, impact, help, nodes }) =>
    nodes.map(
      ({ target, html }) => `${id} (${impact}): ${help} at ${JSON.stringify(target)} ${html.slice(0, 160)}`,
    ),
  );
}
