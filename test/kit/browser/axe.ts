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

/** Languages and themes to test. Forced colours come from the system, so one colour scheme is enough for them. */
export const appearances = (['en', 'ja'] as const).flatMap((locale) =>
  (
    [
      { theme: 'light', colorScheme: 'light', forcedColors: 'none' },
      { theme: 'dark', colorScheme: 'dark', forcedColors: 'none' },
      { theme: 'forced colours', colorScheme: 'light', forcedColors: 'active' },
    ] as const
  ).map((theme) => ({ locale, ...theme })),
);

/** Time-out of a test that runs axe more than once, because axe is slow on a busy computer. */
export const axeTimeoutMs = 400_000;

/** Runs axe with its best practices. CDP injects it because the page's CSP blocks other scripts. */
export async function findAxeViolations(page: Page): Promise<string[]> {
  // Reduced motion ends transitions, because the contrast rules do not apply to a colour in transition.
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
