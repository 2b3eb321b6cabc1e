import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { readRow, rowOf } from '../kit/browser/operation-rows.ts';
import { createHttpProxy } from '../kit/network/http-proxy.ts';
import type { HttpProxy, UpgradeMode } from '../kit/network/http-proxy.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { until } from '../kit/poll.ts';
import { noteSecret } from '../kit/secrets.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** A proxy between browser and server that lets no WebSocket through, or none for long. */
let server: TestServer;
let proxy: HttpProxy;
let browser: Browser;
let user: TestUser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  const port = await findFreePort();
  proxy = await createHttpProxy(port);
  server = await startServer({ port, args: ['--public-url', `http://127.0.0.1:${proxy.port}`] });
  browser = await launchBrowser();
  user = await createUser(server, 'chief', 'admin');
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser.close();
  await proxy.close();
  await server.close();
});

it.each<{ name: string; mode: UpgradeMode }>([
  { name: 'strips upgrades, as nginx does by default', mode: 'strip' },
  { name: 'accepts upgrades and forwards nothing', mode: 'hang' },
  { name: 'cuts each socket after 2 seconds', mode: 2000 },
])('a bar moves and ends true behind a proxy that $name', { timeout: 60_000 }, async ({ mode }) => {
  proxy.setUpgrades(mode);
  const before = proxy.upgradeCount;
  const { page, context, url } = await openConsole(browser, { server, user }, { port: proxy.port });
  contexts.push(context);
  await page.goto(`${url}/operations`);
  const name = `orders-${mode}`;
  const { operation } = await server.api.publish({
    action: 'backup_database',
    subject: { kind: 'database', name },
    total: 1000,
    leaseS: 600,
  });
  const row = rowOf(page, name);
  const seen: number[] = [];
  for (const done of [100, 300, 600, 900]) {
    await server.api.reportProgress(operation.id, { done });
    await until(async () => ((await readRow(row)).value ?? 0) >= done / 1000, {
      what: `the bar to show ${done / 10} %`,
    });
    seen.push(done);
    if (typeof mode === 'number')
      await until(() => proxy.upgradeCount > before + seen.length, { what: 'a cut' });
  }
  await server.api.endOperation(operation.id, { state: 'failed', error: { code: 'disk', message: 'No.' } });
  await row
    .getByText(/failed/i)
    .first()
    .waitFor();
  expect(seen).toEqual([100, 300, 600, 900]);
  expect(proxy.upgradeCount).toBeGreaterThan(before);
  // The page shows no problem of the connection while a stream has taken over.
  if (mode !== 2000) expect(await page.getByText(/connection lost/i).count()).toBe(0);
});

it(
  'a share link shows its operation behind a proxy that strips upgrades, until it is revoked',
  { timeout: 60_000 },
  async () => {
    proxy.setUpgrades('strip');
    const { operation } = await server.api.publish({
      action: 'backup_database',
      subject: { kind: 'database', name: 'shared-orders' },
      total: 100,
      leaseS: 600,
    });
    const share = await server.api.createShare(operation.id, { name: 'auditors' });
    noteSecret(share.secret);
    const context = await browser.newContext({ locale: 'en-GB' });
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${proxy.port}/shared#${share.secret}`);
    await server.api.reportProgress(operation.id, { done: 61 });
    await until(async () => (await page.title()).startsWith('61 %'), {
      what: 'the title to show the percentage',
    });
    await server.api.revokeShare(operation.id, share.id);
    await page.getByText('This link is no longer valid').waitFor();
    expect(await page.content()).not.toContain('shared-orders');
  },
);

it(
  'a page whose session ends returns to the sign-in page over its event stream',
  { timeout: 60_000 },
  async () => {
    proxy.setUpgrades('strip');
    const other = await createUser(server, 'operator', 'operator');
    const { page, context, url } = await openConsole(browser, { server, user: other }, { port: proxy.port });
    contexts.push(context);
    const streaming = page.waitForResponse((response) => response.url().endsWith('/api/events'));
    await page.goto(`${url}/operations`);
    expect((await streaming).status()).toBe(200);
    await server.api.changeUser(other.id, { disabled: true });
    const signIn = page.getByRole('button', { name: /sign in/i });
    await signIn.waitFor();
    expect(await signIn.count()).toBe(1);
  },
);
