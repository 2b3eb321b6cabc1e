import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { launchBrowser, recordPageErrors, screenshot } from '../kit/browser/browser.ts';
import { addSession } from '../kit/browser/console.ts';
import { areEqualFiles, GiB, makeRandomImage, makeSparseImage, MiB } from '../kit/images.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import { until } from '../kit/poll.ts';
import {
  findUnformattedValues,
  observeAllChanges,
  readObservation,
  readRow,
  rowOf,
} from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createCookieSession, createUser, readFirstSignInLink, signIn } from '../kit/session.ts';

/** The first use of a new installation, and sign-in. */
let server: TestServer;
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  await server.close();
});
afterAll(() => browser.close());

const password = 'correct horse battery staple';

async function setPassword(page: Page): Promise<void> {
  const link = await readFirstSignInLink(server);
  await page.goto(link.href);
  const field = page.getByLabel('Password', { exact: true });
  await field.waitFor();
  // The secret must not stay in the address bar or the history.
  expect(page.url()).not.toContain(link.hash.slice(1));
  await field.fill(password);
  await page.getByRole('button', { name: 'Set password and sign in' }).click();
}

it(
  'a first user signs in by link, makes a sample image in an empty pool, and copies it',
  { timeout: 180_000 },
  async () => {
    server = await startServer({ token: null });
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
    contexts.push(context);
    const record = await recordPageErrors(context);
    const page = await context.newPage();
    await observeAllChanges(page);
    await setPassword(page);

    await page.getByRole('heading', { name: 'First steps' }).waitFor();
    await screenshot(page, 'first-steps');
    const sample = page.getByRole('button', { name: 'Make a sample image' });
    await sample.click();
    await page.locator('.rows wcc-progress').first().waitFor();
    // The server would refuse a second press, because the fixed name is taken.
    await expect.poll(() => sample.isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'Images', exact: true }).click();
    const copyButton = page.getByRole('button', { name: 'Copy sample.raw' });
    await copyButton.waitFor({ timeout: 100_000 });

    await copyButton.click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const name = dialog.getByLabel('New name');
    expect(await name.inputValue()).toBe('sample-copy.raw');
    await dialog.getByText('This name is free.').waitFor();
    await name.fill('sample.raw');
    await dialog.getByText('This name is taken.').waitFor();
    await name.fill('web-07-disk.raw');
    await dialog.getByText('This name is free.').waitFor();
    await dialog.getByLabel(/Speed limit/).fill('512');
    await screenshot(page, 'copy-dialog');
    await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.locator('wcc-progress[compact]').first().waitFor();

    await page.getByRole('link', { name: 'Operations' }).click();
    const row = rowOf(page, 'web-07-disk.raw');
    await until(async () => ((await readRow(row)).value ?? 0) > 0.4, {
      what: 'the bar to pass 40 %',
    });
    await screenshot(page, 'copy-in-the-middle');
    await until(async () => (await readRow(row)).look === 'succeeded', {
      what: 'the copy to succeed',
      timeoutMs: 90_000,
    });
    expect((await readRow(row)).text).toMatch(/Done in .* · 4\.0 GiB written/);
    await page.getByRole('link', { name: 'Images', exact: true }).click();
    await page.getByRole('button', { name: 'Copy web-07-disk.raw' }).waitFor();

    const [source, copy] = ['sample.raw', 'web-07-disk.raw'].map((each) => join(server.poolDir, each));
    expect(await areEqualFiles(source!, copy!)).toBe(true);
    expect(findUnformattedValues((await readObservation(page)).texts)).toEqual([]);
    expect(record).toEqual({ cspViolations: [], errors: [] });
  },
);

it('the sign-in form refuses a wrong password and opens the requested page; the user menu signs out', async () => {
  server = await startServer();
  await createUser(server, 'sato', 'operator').then((user) => (userPassword = user.password));
  const context = await browser.newContext({ locale: 'en-GB' });
  contexts.push(context);
  const record = await recordPageErrors(context);
  const page = await context.newPage();
  await page.goto(`${server.baseUrl}/operations`);
  await page.getByLabel('Name').fill('sato');
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('The name or the password is wrong.').first().waitFor();
  await page.getByLabel('Password', { exact: true }).fill(userPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  // The page requested before sign-in opens.
  await page.getByText('No operations yet').waitFor();
  await page.getByRole('button', { name: 'Menu of sato' }).click();
  await page
    .getByRole('button', { name: 'Sign out' })
    .or(page.getByRole('menuitem', { name: 'Sign out' }))
    .click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  expect(record).toEqual({ cspViolations: [], errors: [] });
});
let userPassword = '';

it('a session that ends elsewhere asks for sign-in on the same page and continues there', async () => {
  server = await startServer();
  const user = await createUser(server, 'sato', 'admin');
  const context = await browser.newContext({ locale: 'en-GB' });
  contexts.push(context);
  const session = await signIn(server, user);
  await addSession(context, session);
  const page = await context.newPage();
  await page.goto(`${server.baseUrl}/operations`);
  await page.getByText('No operations yet').waitFor();
  await session.request('DELETE', '/api/session');
  await page.getByText('Your session has ended.', { exact: false }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/operations');
  await page.getByLabel('Name').fill(user.name);
  await page.getByLabel('Password', { exact: true }).fill(user.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('No operations yet').waitFor();
});

const variants = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 800 }, locale: 'en-GB' },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 }, locale: 'en-GB' },
  { name: 'narrow', colorScheme: 'light', viewport: { width: 320, height: 720 }, locale: 'en-GB' },
  { name: 'ja', colorScheme: 'light', viewport: { width: 1280, height: 800 }, locale: 'ja-JP' },
] as const;

it(
  'home, images and operations do not overflow sideways, wide or narrow, in both languages',
  { timeout: 180_000 },
  async () => {
    server = await startServer({ token: null });
    const link = await readFirstSignInLink(server);
    const headers = { origin: server.baseUrl, 'content-type': 'application/json' };
    const body = JSON.stringify({ secret: link.hash.slice(1), name: 'sato', password });
    const answer = await rawRequest(`${server.baseUrl}/api/first-sign-in`, { method: 'POST', headers, body });
    const session = createCookieSession(server.baseUrl, answer);
    await makeSparseImage(join(server.poolDir, 'debian-13.raw'), {
      virtualBytes: 40 * GiB,
      dataBytes: (2400 * MiB) / 20,
    });
    await makeRandomImage(join(server.poolDir, 'windows-server-2025-with-a-rather-long-name.raw'), 96 * MiB);
    const { items: pools } = (await session.request('GET', '/api/pools')).json() as {
      items: { id: string }[];
    };
    await session.request('POST', `/api/pools/${pools[0]!.id}/rescan`);
    const { items } = (await session.request('GET', '/api/images')).json() as {
      items: { id: number; name: string }[];
    };
    for (const { id, name } of items) {
      await session.request('POST', `/api/images/${id}/copy`, {
        body: { name: `copy-of-${name}`, method: 'copy', bytesPerSecond: 2 * MiB },
      });
    }
    const overflows: Record<string, number> = {};
    for (const variant of variants) {
      const context = await browser.newContext(variant);
      contexts.push(context);
      await addSession(context, session);
      const page = await context.newPage();
      for (const [path, label] of [
        ['/', 'home'],
        ['/images', 'images'],
        ['/operations', 'operations'],
      ] as const) {
        await page.goto(server.baseUrl + path);
        await page.locator('wcc-progress').first().waitFor();
        await until(async () => (await page.locator('wcc-progress progress:visible').count()) > 0, {
          what: 'a bar',
        });
        overflows[`${label}-${variant.name}`] = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        await screenshot(page, `${label}-${variant.name}`);
      }
    }
    expect(Object.entries(overflows).filter(([, pixels]) => pixels > 0)).toEqual([]);
    expect(readFileSync(join(server.dataDir, 'wcc.sqlite')).length).toBeGreaterThan(0);
  },
);
