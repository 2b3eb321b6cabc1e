import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { isLongRun } from '../share.ts';
import { screenshot } from './browser.ts';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  violations: {
    id: string;
    impact: string | null;
    help: string;
    nodes: { target: unknown; html: string }[];
  }[];
}

export type Locale = 'en' | 'ja';

/** Forced colours come from the system, so one colour scheme is enough for them. */
const themes = [
  { theme: 'light', colorScheme: 'light', forcedColors: 'none' },
  { theme: 'dark', colorScheme: 'dark', forcedColors: 'none' },
  { theme: 'forced', colorScheme: 'light', forcedColors: 'active' },
] as const;

/** `npm run test:axe` runs every rule in each language and theme. */
const isFull = process.env['WCC_AXE'] === 'full' || isLongRun;

/** Languages in which a test visits its pages: in a short run one, which differs from file to file. */
export function localesOr(share: Locale): readonly Locale[] {
  return isFull ? ['en', 'ja'] : [share];
}

/** The rules whose result depends on colours. */
const colorRules = ['color-contrast', 'link-in-text-block'];

/** Time-out of a test that runs axe more than once, because axe is slow on a busy computer. */
export const axeTimeoutMs = 400_000;

/**
 * Runs axe on the page in each theme, and leaves it in the light one. Only media queries of styles read the theme, so
 * the page stays as it is: the other themes need no further visit, only the rules of colours.
 *
 * @param at.name of the screenshots
 */
export async function findAxeViolationsInThemes(
  page: Page,
  at: { locale: Locale; name: string },
): Promise<string[]> {
  const found: string[] = [];
  for (const { theme, ...media } of themes) {
    await page.emulateMedia(media);
    await screenshot(page, `${at.name}-${at.locale}-${theme}`);
    const violations = await findAxeViolations(page, { colorsOnly: theme !== 'light' && !isFull });
    found.push(...violations.map((violation) => `${theme}: ${violation}`));
  }
  const { colorScheme, forcedColors } = themes[0];
  await page.emulateMedia({ colorScheme, forcedColors });
  return found;
}

/** Runs axe with its best practices. CDP injects it because the page's CSP blocks other scripts. */
export async function findAxeViolations(
  page: Page,
  { colorsOnly = false }: { colorsOnly?: boolean } = {},
): Promise<string[]> {
  // Reduced motion ends transitions, because the contrast rules do not apply to a colour in transition.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  // Its injection takes as long as a run, so a page gets it once.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  const { violations } = await page.evaluate(
    (options) =>
      (globalThis as unknown as { axe: { run: (given: object) => Promise<AxeResult> } }).axe.run(options),
    {
      resultTypes: ['violations'],
      ...(colorsOnly ? { runOnly: { type: 'rule', values: colorRules } } : {}),
    },
  );
  return violations.flatMap(({ id, impact, help, nodes }) =>
    nodes.map(
      ({ target, html }) => `${id} (${impact}): ${help} at ${JSON.stringify(target)} ${html.slice(0, 160)}`,
    ),
  );
}
