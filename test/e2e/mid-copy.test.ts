import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Image, Operation } from '@wcc/api';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleOptions, ConsoleTab } from '../kit/browser/console.ts';
import { makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { readRow, rowOf } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** The bar of a running copy after a reload, a killed server, and a return through the browser history. */
let server: TestServer;
let browser: Browser;
let user: TestUser;
let image: Image;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser({ backForwardCache: true });
  await makeRandomImage(join(server.poolDir, 'source.raw'), 192 * MiB);
  image = await registerImage(server, 'source.raw');
  user = await createUser(server, 'chief', 'admin');
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  for (const { id } of (await server.api.operations({ state: 'running,queued,paused' })).items) {
    await server.api.cancel(id);
  }
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function open(options?: ConsoleOptions): Promise<ConsoleTab> {
  const consoleTab = await openConsole(browser, { server, user }, options);
  contexts.push(consoleTab.context);
  return consoleTab;
}

async function startCopy(name: string, bytesPerSecond = 16 * MiB): Promise<Operation> {
  return (await server.api.copyImage(image.id, { name, method: 'copy', bytesPerSecond })).operation;
}

async function untilBarReaches(consoleTab: ConsoleTab, target: string, value: number): Promise<number> {
  const row = rowOf(consoleTab.page, target);
  await row.waitFor();
  return until(
    async () => {
      const state = await readRow(row);
      return state.snapshot.state === 'running' && (state.value ?? 0) >= value ? state.value : null;
    },
    { what: `the bar of ${target} to be at ${value}` },
  );
}

it('a reload during a copy shows the same bar at the same or a later value', async () => {
  const consoleTab = await open();
  await consoleTab.page.goto(`${consoleTab.url}/operations`);
  const { id } = await startCopy('reloaded.raw');
  const seen = await untilBarReaches(consoleTab, 'reloaded.raw', 0.15);
  const startedAt = performance.now();
  await consoleTab.page.reload();
  const row = rowOf(consoleTab.page, 'reloaded.raw');
  await row.waitFor();
  console.log(`same bar ${Math.round(performance.now() - startedAt)} ms after the reload began`);
  const again = await readRow(row);
  expect(again.snapshot.id).toBe(id);
  expect(again.value).toBeGreaterThanOrEqual(seen);
  expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
});

it('the image table shows the compact bar of a running copy again after a reload', async () => {
  const consoleTab = await open();
  await startCopy('slim.raw');
  const slim = consoleTab.page.locator('wcc-progress[compact]').first();
  await slim.waitFor();
  await consoleTab.page.reload();
  await slim.waitFor();
  expect((await readRow(slim)).snapshot.target?.name).toBe('slim.raw');
});

it('the bar of a copy continues to success after the server is killed, and never shows a failure', async () => {
  const consoleTab = await open();
  const { page } = consoleTab;
  await page.goto(`${consoleTab.url}/operations`);
  const { id } = await startCopy('killed.raw', 32 * MiB);
  const seen = await untilBarReaches(consoleTab, 'killed.raw', 0.3);
  await server.kill();
  const row = rowOf(page, 'killed.raw');
  await page
    .getByText(/connection lost/i)
    .first()
    .waitFor();
  const lost = await readRow(row);
  expect(lost.value).toBeGreaterThanOrEqual(seen);
  expect(lost.text).not.toMatch(/fail/i);
  await server.start();
  await until(async () => (await readRow(row)).look === 'succeeded', {
    what: 'the row to show success',
    timeoutMs: 40_000,
  });
  expect((await readRow(row)).snapshot.id).toBe(id);
  expect((await readRow(row)).text).toMatch(/Done in/);
  expect(await page.locator('wcc-progress:not([compact])').filter({ hasText: 'killed.raw' }).count()).toBe(1);
  expect(await sha256(join(server.poolDir, 'killed.raw'))).toBe(
    await sha256(join(server.poolDir, 'source.raw')),
  );
});

it('a page restored from the back-forward cache has one live socket and an up-to-date bar', async () => {
  const consoleTab = await open();
  const { page, context, url } = consoleTab;
  await page.goto(`${url}/operations`);
  const { id } = await startCopy('back.raw', 8 * MiB);
  await untilBarReaches(consoleTab, 'back.raw', 0.02);
  await page.evaluate(() => {
    addEventListener(
      'pageshow',
      (event) => ((globalThis as unknown as { shown: boolean }).shown = event.persisted),
    );
  });
  await page.goto(`${url}/api/health`);
  await until(
    async () =>
      (await server.api.operation(id)).phases.some((phase) => 'done' in phase && phase.done > 24 * MiB),
    {
      what: 'the copy to advance while the page is hidden',
    },
  );
  const stored = await server.api.operation(id);
  await goBack(consoleTab);
  const persisted = await page.evaluate(() => (globalThis as unknown as { shown?: boolean }).shown);
  console.log(`the page was ${persisted === true ? 'restored from the cache' : 'loaded again'}`);
  const phase = stored.phases[stored.phaseIndex];
  const value = phase && 'done' in phase ? phase.done / phase.total! : 0;
  await untilBarReaches(consoleTab, 'back.raw', value);
  const counts = await countLiveSockets(consoleTab);
  expect(counts).toBe(1);
  expect(context.pages()).toHaveLength(1);
});

/** Waits for the commit of the navigation only, because a page restored from the cache has no load event. */
async function goBack({ page }: ConsoleTab): Promise<void> {
  await page.goBack({ waitUntil: 'commit' });
}

/** Counts the sockets that receive frames, by the browser's network log. */
async function countLiveSockets({ page, context }: ConsoleTab): Promise<number> {
  const cdp = await context.newCDPSession(page);
  const liveSockets = new Set<string>();
  cdp.on('Network.webSocketFrameReceived', ({ requestId }) => void liveSockets.add(requestId));
  await cdp.send('Network.enable');
  const sinceMs = performance.now();
  // A copy publishes ten times a second, so each live socket receives frames within two seconds.
  await until(() => performance.now() - sinceMs > 2000, { what: 'two seconds of frames' });
  return liveSockets.size;
}

it('a copy that ends while another page is open shows its end after a return to the operations page', async () => {
  const consoleTab = await open();
  await consoleTab.page.goto(`${consoleTab.url}/operations`);
  const { id } = await startCopy('away.raw', 64 * MiB);
  await rowOf(consoleTab.page, 'away.raw').waitFor();
  await consoleTab.page.goto(`${consoleTab.url}/api/health`);
  await waitForState(server, id, { states: ['succeeded'] });
  await goBack(consoleTab);
  await until(async () => (await readRow(rowOf(consoleTab.page, 'away.raw'))).look === 'succeeded', {
    what: 'the row to show success',
  });
  expect((await readRow(rowOf(consoleTab.page, 'away.raw'))).text).toMatch(/Done in/);
});
