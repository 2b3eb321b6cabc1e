import { expect, it } from 'vitest';
import { findAxeViolationsInThemes } from './axe.ts';
import { launchBrowser } from './browser.ts';

it('axe finds bad contrast that one theme alone has, and bad structure once', async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.setContent(`<html lang="en"><title>A page</title>
      <style>@media (prefers-color-scheme: dark) { #dark { color: #888; background: #999; } }</style>
      <main><h1>A page</h1><p id="dark">text</p><input id="unnamed"></main></html>`);
    const found = await findAxeViolationsInThemes(page, { locale: 'en', name: 'axe' });
    const rules = found.map((violation) => violation.split(' (')[0]);
    expect(rules).toEqual(['light: label', 'dark: color-contrast']);
    expect(await page.evaluate(() => matchMedia('(prefers-color-scheme: light)').matches)).toBe(true);
  } finally {
    await browser.close();
  }
});
