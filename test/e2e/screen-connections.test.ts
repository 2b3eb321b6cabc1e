import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { MiB } from '../kit/images.ts';
import { startMachineHost } from '../kit/machine-host.ts';
import type { MachineHost } from '../kit/machine-host.ts';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import type { FaultProxy } from '../kit/network/fault-proxy.ts';
import { createHttpProxy } from '../kit/network/http-proxy.ts';
import type { HttpProxy } from '../kit/network/http-proxy.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Screens and serial logs on bad networks: browser → network with faults → HTTP proxy → server. */
let host: MachineHost;
let proxy: HttpProxy;
let network: FaultProxy;
let browser: Browser;
let user: TestUser;
let machine: number;
const contexts = closeContextsAfterEach();

beforeAll(async () => {
  const port = await findFreePort();
  proxy = await createHttpProxy(port);
  network = await createFaultProxy(proxy.port);
  const args = ['--public-url', `http://127.0.0.1:${network.port}`];
  host = await startMachineHost('qemu', { port, args });
  const { server } = host;
  browser = await launchBrowser();
  user = await createUser(server, 'sato', 'admin');
  const { operation } = await server.api.makeSampleImage({ name: 'disk.raw', sizeBytes: 16 * MiB });
  const { result } = await waitForState(server, operation.id, { states: ['succeeded'] });
  const request = { name: 'quokka', image: Number(result?.id), cpus: 1, memoryBytes: 32 * MiB };
  const made = await server.api.quickCreateVm(request);
  await waitForState(server, made.operation.id, { states: ['succeeded'] });
  machine = Number(made.operation.subject.id);
});
afterEach(() => {
  network.setMode('pass');
  proxy.setUpgrades('forward');
});
afterAll(async () => {
  await browser.close();
  await host.close();
  await network.close();
  await proxy.close();
});

async function open(): Promise<ConsoleTab> {
  const consoleTab = await openConsole(browser, { server: host.server, user }, { port: network.port });
  contexts.push(consoleTab.context);
  return consoleTab;
}

const isScreen = (page: Page, state: string): Promise<void> =>
  page.locator(`[data-screen="${state}"]`).waitFor({ timeout: 60_000 });

async function showSerial(page: Page): Promise<void> {
  await page.getByText('Serial log', { exact: true }).click();
  await page.locator('.serial pre code', { hasText: /\S/ }).waitFor();
}

it('V10j: a screen behind a proxy without WebSockets says so, and connects after the proxy was mended', async () => {
  proxy.setUpgrades('strip');
  const { page, url } = await open();
  await page.goto(`${url}/machines/${machine}`);
  await isScreen(page, 'refused');
  await page.getByText(/proxy between this browser and wcc does not forward WebSocket/).waitFor();
  await page.getByText('Serial log', { exact: true }).click();
  await page
    .locator('.serial')
    .getByText(/does not forward WebSocket/)
    .waitFor({ timeout: 60_000 });
  proxy.setUpgrades('forward');
  await page.locator('.serial').getByRole('button', { name: 'Connect' }).click();
  await page.locator('.serial pre code', { hasText: /\S/ }).waitFor();
  expect(await page.getByText(/does not forward WebSocket/).count()).toBe(0);
});

it('V6: a screen whose connection died silently is noticed, and connects again', async () => {
  const { page, url } = await open();
  const screens: string[] = [];
  page.on('websocket', (socket) => {
    if (socket.url().includes('/screen')) screens.push(socket.url());
  });
  await page.goto(`${url}/machines/${machine}`);
  await isScreen(page, 'connected');
  const before = screens.length;
  network.setModeForOpen('silent');
  // The page still says "connected" at first, so that only another socket shows that it has noticed.
  await until(() => screens.length > before, { what: 'another socket of the screen' });
  await isScreen(page, 'connected');
  expect(screens.length).toBeGreaterThan(before);
});

it('V4: seven tabs with a serial log leave the console usable', { timeout: 200_000 }, async () => {
  const { page, url, context } = await open();
  for (let tab = 1; tab <= 6; tab += 1) {
    const one = await context.newPage();
    await one.goto(`${url}/machines/${machine}`);
    await showSerial(one);
  }
  await page.goto(`${url}/machines/${machine}`);
  await showSerial(page);
  expect(await page.evaluate(async () => (await fetch('/api/health')).status)).toBe(200);
});
