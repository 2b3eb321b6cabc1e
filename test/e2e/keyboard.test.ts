import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { launchBrowser, recordPageErrors, screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { findClippedElements } from '../kit/browser/clipping.ts';
import { readFocus, tabTo } from '../kit/browser/focus.ts';
import { rowOf } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { CookieSession, TestUser } from '../kit/session.ts';

/** Tests the console by keyboard alone, at 320 px, and at 400 % zoom. */
let server: TestServer;
let browser: Browser;
let user: TestUser;
let image: Image;
let session: CookieSession;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  await makeRandomImage(join(server.poolDir, 'source.raw'), 64 * MiB);
  image = await registerImage(server, 'source.raw');
  user = await createUser(server, 'sato', 'admin');
  session = await signIn(server, user);
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  // A copy left by a test must not occupy the slot of the next test's copy.
  for (const { id } of (await server.api.operations({ state: 'running' })).items) await server.api.cancel(id);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

/** Starts a copy as the signed-in user because the tray shows own operations only. */
async function startCopy(name: string): Promise<string> {
  const answer = await session.request('POST', `/api/images/${image.id}/copy`, {
    body: { name, method: 'copy', bytesPerSecond: 64 * 1024 },
  });
  const { operation } = answer.json() as { operation: { id: string } };
  await waitForState(server, operation.id, { states: ['running'] });
  return operation.id;
}

it('sign-in, copy and cancel work by keyboard alone', async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  contexts.push(context);
  const record = await recordPageErrors(context);
  const page = await context.newPage();
  await page.goto(`${server.baseUrl}/images`);
  await page.locator('input[type=password]').waitFor();
  await until(async () => /name/i.test((await readFocus(page)).name), { what: 'the focus on the name' });
  await page.keyboard.type(user.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(user.password);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Copy source.raw' }).waitFor();

  await tabTo(page, /^Copy source\.raw$/);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('wcc-copy-dialog').waitFor({ state: 'detached' });
  // Escape closes the dialog and returns the focus to the button.
  await until(async () => /^Copy source\.raw$/.test((await readFocus(page)).name), {
    what: 'the focus back at the button',
  });
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('New name').waitFor();
  await until(async () => (await readFocus(page)).name.startsWith('New name'), {
    what: 'the focus on the name',
  });
  await page.keyboard.press('Control+A');
  await page.keyboard.type('by-keyboard.raw');
  await dialog.getByText('This name is free.').waitFor();
  await tabTo(page, /^Speed limit/);
  await page.keyboard.type('1');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });

  await tabTo(page, /^Operations/);
  await page.keyboard.press('Enter');
  const row = rowOf(page, 'by-keyboard.raw');
  await row.waitFor();
  await tabTo(page, /^Cancel\b/);
  // Escape never cancels an operation.
  await page.keyboard.press('Escape');
  expect((await server.api.operations({ state: 'running' })).items).toHaveLength(1);
  await page.keyboard.press('Enter');
  await until(async () => (await server.api.operations({ state: 'cancelled' })).items.length === 1, {
    what: 'the copy to be cancelled',
  });
  await row.getByText(/Cancelled/).waitFor();
  expect((await readFocus(page)).name, 'the focus is not lost').not.toBe('');
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('F6 cycles through header, main and tray, and dismissing a row keeps the focus in the tray', async () => {
  const [first, second] = [await startCopy('one.raw'), await startCopy('two.raw')];
  const { page, context, url } = await openConsole(browser, { server, user });
  contexts.push(context);
  await page.goto(`${url}/operations`);
  await rowOf(page, 'two.raw').waitFor();
  const regions: string[] = [];
  for (let step = 0; step < 4; step += 1) {
    await page.keyboard.press('F6');
    regions.push((await readFocus(page)).region.split(' ')[0] ?? '');
  }
  expect(regions).toEqual(['main', 'tray', 'top', 'main']);
  await page.keyboard.press('Shift+F6');
  expect((await readFocus(page)).region).toBe('top');
  for (const id of [first, second]) {
    await server.api.cancel(id);
    await waitForState(server, id, { states: ['cancelled'] });
  }
  const list = page.locator('.tray-rows');
  if (!(await list.isVisible())) {
    await page.keyboard.press('Shift+F6');
    await page.keyboard.press('Enter');
  }
  await list.getByText('one.raw').waitFor();
  await list.getByText('two.raw').waitFor();
  await until(async () => (await list.getByRole('button', { name: /^Dismiss/ }).count()) >= 2, {
    what: 'both rows to be dismissible',
  });
  const before = await list.locator('wcc-progress').count();
  await tabTo(page, /^Dismiss/);
  await page.keyboard.press('Enter');
  await until(async () => (await list.locator('wcc-progress').count()) === before - 1, {
    what: 'the dismissed row to leave',
  });
  await until(async () => (await readFocus(page)).region.startsWith('tray'), {
    what: 'the focus in the tray',
  });
  expect((await readFocus(page)).name).not.toBe('');
});

it('the button that loads the last page of a list disappears without losing focus or scrolling', async () => {
  for (let entry = 0; entry < 60; entry += 1)
    await server.api.changeImage(image.id, { template: entry % 2 === 0 });
  const { page, context, url } = await openConsole(browser, { server, user });
  contexts.push(context);
  await page.goto(`${url}/audit`);
  const more = page.locator('.more button');
  await more.waitFor();
  const rows = page.locator('main tbody tr');
  const before = await rows.count();
  await more.focus();
  const scrolled = await page.evaluate(() => scrollY);
  expect(scrolled).toBeGreaterThan(0);
  await page.keyboard.press('Enter');
  await until(async () => (await rows.count()) > before && (await more.count()) === 0, {
    what: 'the rest of the list',
  });
  await until(async () => (await readFocus(page)).region === 'main', { what: 'the focus in the page' });
  expect(await page.evaluate(() => scrollY)).toBeGreaterThanOrEqual(scrolled);
});

it.each([
  { what: '320 px', viewport: { width: 320, height: 640 } },
  // 1280 × 1024 at 400 % zoom has this size in CSS pixels.
  { what: '400 % zoom', viewport: { width: 320, height: 256 } },
])('pages and the copy dialog are not clipped and stay reachable at $what', async ({ what, viewport }) => {
  const id = await startCopy(`narrow-${viewport.height}.raw`);
  const { page, context, url } = await openConsole(browser, { server, user }, { viewport });
  contexts.push(context);
  const problems: Record<string, string[]> = {};
  const check = async (name: string): Promise<void> => {
    await screenshot(page, `${name.replaceAll(' ', '-')}-${viewport.height}`);
    const found = await findClippedElements(page);
    if (found.length > 0) problems[name] = found;
  };
  await page.getByRole('button', { name: 'Copy source.raw' }).waitFor();
  await check('images');
  await page.getByRole('button', { name: 'Copy source.raw' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('New name').waitFor();
  await check('copy dialog');
  // The button of the dialog is reachable in the smallest window.
  const submit = dialog.getByRole('button', { name: 'Copy', exact: true });
  await submit.scrollIntoViewIfNeeded();
  expect(await submit.isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  for (const path of ['operations', `operations/${id}`, 'settings']) {
    await page.goto(`${url}/${path}`);
    await page.locator('main h1').waitFor();
    if (path !== 'settings') await page.locator('main wcc-progress').first().waitFor();
    await check(path.split('/').length > 1 ? 'operation' : path);
  }
  const tray = page.locator('.tray-line, .tray-bubble').first();
  await tray.click();
  await check('tray');
  expect(problems, what).toEqual({});
  await server.api.cancel(id);
  await waitForState(server, id, { states: ['cancelled'] });
});
