import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import type { FaultProxy } from '../kit/network/fault-proxy.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { measureTimerDelay } from '../kit/browser/machine-load.ts';
import { currentPhase, registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { isLongRun } from '../kit/share.ts';
import { findFreePort } from '../kit/network/ports.ts';
import {
  findUnformattedValues,
  observeAllChanges,
  readObservation,
  readRow,
  rowOf,
} from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** A network that drops all bytes without closing a connection. */
let server: TestServer;
let proxy: FaultProxy;
let browser: Browser;
let user: TestUser;
let image: Image;
let consoleTab: ConsoleTab;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  const port = await findFreePort();
  proxy = await createFaultProxy(port);
  // The browser reaches the server at the proxy's address, so that address must be its public URL.
  server = await startServer({ port, args: ['--public-url', `http://127.0.0.1:${proxy.port}`] });
  browser = await launchBrowser();
  await makeRandomImage(join(server.poolDir, 'source.raw'), 512 * MiB);
  image = await registerImage(server, 'source.raw');
  user = await createUser(server, 'chief', 'admin');
});
beforeEach(async () => {
  consoleTab = await openConsole(browser, { server, user }, { port: proxy.port });
  contexts.push(consoleTab.context);
  await observeAllChanges(consoleTab.page);
  await consoleTab.page.goto(`${consoleTab.url}/operations`);
});
afterEach(async () => {
  proxy.setMode('pass');
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser.close();
  await proxy.close();
  await server.close();
});

async function startSlowCopy(name: string): Promise<{ id: string; done(): Promise<number> }> {
  const { operation } = await server.api.copyImage(image.id, {
    name,
    method: 'copy',
    bytesPerSecond: 8 * MiB,
  });
  await until(async () => ((await readRow(rowOf(consoleTab.page, name))).value ?? 0) > 0.01, {
    what: `the bar of ${name} to move`,
  });
  return {
    id: operation.id,
    done: async () => (currentPhase(await server.api.operation(operation.id))?.done ?? 0) / (512 * MiB),
  };
}

async function waitForBanner(): Promise<number> {
  const startedAt = performance.now();
  await consoleTab.page
    .getByText(/connection lost/i)
    .first()
    .waitFor();
  return performance.now() - startedAt;
}

const holeS = isLongRun ? 30 : 16;
it(`a ${holeS} s network black hole shows a banner and no failure, then the up-to-date value`, async () => {
  const copy = await startSlowCopy('hole.raw');
  const row = rowOf(consoleTab.page, 'hole.raw');
  const before = await readRow(row);
  const timerDelayMs = await measureTimerDelay(consoleTab.page);
  const cutAt = performance.now();
  proxy.setMode('silent');
  const bannerMs = await waitForBanner();
  expect(bannerMs - (await timerDelayMs())).toBeLessThan(15_000);
  const offline = await readRow(row);
  expect(offline.value).toBeGreaterThanOrEqual(before.value ?? 1);
  expect(offline.text).not.toMatch(/MiB\/s|left\b/);
  const button = row.getByRole('button', { name: 'Cancel' });
  expect(await button.getAttribute('aria-disabled')).toBe('true');
  expect(await button.getAttribute('title')).toMatch(/\w/);
  await until(() => performance.now() - cutAt > holeS * 1000, { what: `${holeS} s to pass` });
  expect((await readRow(row)).text).not.toMatch(/fail/i);
  const actualShare = await copy.done();
  expect(actualShare).toBeGreaterThan(before.value ?? 1);
  proxy.setMode('pass');
  const backAt = performance.now();
  const lateBefore = await timerDelayMs();
  await until(async () => ((await readRow(row)).value ?? 0) >= actualShare, {
    what: 'the bar to reach the server’s value',
  });
  const backMs = performance.now() - backAt;
  const lateMs = await timerDelayMs();
  console.log(
    `banner after ${Math.round(bannerMs)} ms, up to date ${Math.round(backMs)} ms after; ${Math.round(lateMs)} ms late`,
  );
  expect(backMs - (lateMs - lateBefore)).toBeLessThan(8000);
  await until(
    async () =>
      !(await consoleTab.page
        .getByText(/connection lost/i)
        .first()
        .isVisible()),
    {
      what: 'the banner to disappear',
    },
  );
  const { texts } = await readObservation(consoleTab.page);
  expect(texts.filter((text) => /\bfailed\b|\berror\b/i.test(text))).toEqual([]);
  expect(findUnformattedValues(texts)).toEqual([]);
  expect((await readRow(row)).snapshot.id).toBe(copy.id);
});

it('the page detects a half-open socket and updates the bar over a new one', async () => {
  const copy = await startSlowCopy('half-open.raw');
  const row = rowOf(consoleTab.page, 'half-open.raw');
  const total = proxy.connections.total;
  // Only open connections go silent, so a new connection works.
  proxy.setModeForOpen('silent');
  const cutAt = performance.now();
  await until(() => proxy.connections.total > total, { what: 'a new connection', timeoutMs: 60_000 });
  console.log(`a new connection after ${Math.round(performance.now() - cutAt)} ms`);
  const actualShare = await copy.done();
  await until(async () => ((await readRow(row)).value ?? 0) >= actualShare, {
    what: 'the bar to be up to date again',
  });
  console.log(`up to date after ${Math.round(performance.now() - cutAt)} ms`);
  expect((await readRow(row)).snapshot.id).toBe(copy.id);
});
