import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { axeTimeoutMs, findAxeViolationsInThemes, localesOr } from '../kit/browser/axe.ts';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { rowOf } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Runs axe on the main pages, in both languages and all themes, with operations in many states. */
let server: TestServer;
let browser: Browser;
let user: TestUser;
let image: Image;

beforeAll(async () => {
  server = await startServer({ args: ['--max-copies-per-pool', '1'] });
  browser = await launchBrowser();
  await makeRandomImage(join(server.poolDir, 'source.raw'), 32 * MiB);
  image = await registerImage(server, 'source.raw');
  user = await createUser(server, 'chief', 'admin');
  const copy = async (name: string, bytesPerSecond: number | null = 65_536): Promise<string> =>
    (await server.api.copyImage(image.id, { name, method: 'copy', bytesPerSecond })).operation.id;
  await waitForState(server, await copy('succeeded.raw', null), { states: ['succeeded'] });
  const cancelled = await copy('cancelled.raw');
  await server.api.cancel(cancelled);
  await waitForState(server, cancelled, { states: ['cancelled'] });
  const paused = await copy('paused.raw');
  await waitForState(server, paused, { states: ['running'] });
  await server.api.pause(paused);
  await waitForState(server, paused, { states: ['paused'] });
  await waitForState(server, await copy('running.raw'), { states: ['running'] });
  await copy('queued.raw');
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

it.each(localesOr('ja'))(
  'images, operations and sign-in pages pass axe: %s',
  { timeout: axeTimeoutMs },
  async (locale) => {
    const { context, page, url } = await openConsole(browser, { server, user }, { locale });
    await page.getByText('source.raw').first().waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale);
    const problems: Record<string, string[]> = {};
    const check = async (name: string): Promise<void> => {
      problems[name] = await findAxeViolationsInThemes(page, {
        locale,
        name: `axe-${name.replace(' ', '-')}`,
      });
    };
    await check('images');
    await page
      .getByRole('button', { name: /source\.raw/ })
      .first()
      .click();
    await page.getByRole('dialog').waitFor();
    await check('dialog');
    await page.keyboard.press('Escape');
    await page.goto(`${url}/operations`);
    for (const state of ['succeeded', 'cancelled', 'paused', 'running', 'queued']) {
      await rowOf(page, `${state}.raw`).waitFor();
    }
    await check('operations');
    await context.clearCookies();
    await page.goto(url);
    await page.locator('input[type=password]').waitFor();
    await check('sign-in');
    await page.goto(`${url}/first-sign-in#nothing`);
    await page.locator('input[type=password]').first().waitFor();
    await check('first sign-in');
    expect(problems).toEqual({ images: [], dialog: [], operations: [], 'sign-in': [], 'first sign-in': [] });
    await context.close();
  },
);

it('a progress bar has a name and a value text, and the page has live regions', async () => {
  const { context, page, url } = await openConsole(browser, { server, user });
  await page.goto(`${url}/operations`);
  const bar = rowOf(page, 'running.raw').getByRole('progressbar');
  await bar.waitFor();
  expect(
    await bar.evaluate((element) => (element as HTMLProgressElement).getAttribute('aria-valuetext')),
  ).toMatch(/%/);
  const row = rowOf(page, 'running.raw');
  expect(await row.getByRole('progressbar', { name: /Copy image.*source\.raw.*running\.raw/ }).count()).toBe(
    1,
  );
  expect(await page.getByRole('status').count()).toBeGreaterThanOrEqual(1);
  expect(await page.locator('[role=alert]').count()).toBe(1);
  await context.close();
});
