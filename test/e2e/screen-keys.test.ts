import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, screenshot } from '../kit/browser.ts';
import { openConsole } from '../kit/console.ts';
import type { ConsoleTab } from '../kit/console.ts';
import { closeContextsAfterEach } from '../kit/contexts.ts';
import { MiB } from '../kit/images.ts';
import { startMachineHost } from '../kit/machine-host.ts';
import type { MachineHost } from '../kit/machine-host.ts';
import { waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { findClippedElements, expectFocusOn, readFocus, tabTo } from '../kit/focus.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** WCAG 2.1.2 at the screen of a machine: a way in, a way out, and no key lost when the machine goes. */
let host: MachineHost;
let browser: Browser;
let user: TestUser;
let machine: number;
const contexts = closeContextsAfterEach();

beforeAll(async () => {
  host = await startMachineHost('qemu');
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
afterAll(async () => {
  await browser.close();
  await host.close();
});

const typing = 'Keys go to the machine · F6 to leave';

/** The key events that went to machines so far; RFB calls them 4, QEMU's extension 255. */
function countKeys(page: Page): { sent: () => number } {
  let sent = 0;
  page.on('websocket', (socket) => {
    if (!socket.url().includes('/screen')) return;
    socket.on('framesent', ({ payload }) => {
      if (typeof payload !== 'string' && (payload[0] === 4 || payload[0] === 255)) sent += 1;
    });
  });
  return { sent: () => sent };
}

async function open(options: { viewport?: { width: number; height: number } } = {}): Promise<ConsoleTab> {
  const consoleTab = await openConsole(browser, { server: host.server, user }, options);
  contexts.push(consoleTab.context);
  return consoleTab;
}

async function setPower(verb: 'start' | 'power-off'): Promise<void> {
  await host.server.api.orderVm(machine, verb);
}

it('the link to the screen gives it the keys; F6 leads out, and what is typed then stays here', async () => {
  const { page, url, record } = await open();
  const keys = countKeys(page);
  await page.goto(`${url}/machines`);
  await page.getByText('quokka').waitFor();
  await tabTo(page, /^Screen of quokka$/);
  await page.keyboard.press('Enter');
  await page.locator('[data-screen="connected"]').waitFor();
  await expectFocusOn(page, /^Screen of quokka$/);
  await page.getByText(typing).first().waitFor();
  await screenshot(page, 'screen-has-keys');
  // Tab is the machine's, too.
  await page.keyboard.press('Tab');
  await page.keyboard.press('a');
  await until(() => keys.sent() >= 4, { what: 'both keys to go to the machine' });
  await expectFocusOn(page, /^Screen of quokka$/);

  await page.keyboard.press('F6');
  await expectFocusOn(page, /^Use keyboard$/);
  await page.getByText('Press F6 to leave the screen').waitFor();
  const before = keys.sent();
  await page.keyboard.press('Tab');
  await expectFocusOn(page, /^Ctrl-Alt-Del$/);
  await page.keyboard.press('b');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await expectFocusOn(page, /^Screen of quokka$/);
  await page.keyboard.press('c');
  await until(() => keys.sent() >= before + 2, { what: 'the last key' });
  expect(keys.sent(), 'nothing but the last key').toBeLessThanOrEqual(before + 3);
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('a machine that goes off keeps the focus at its place, and gets it back when it runs again', async () => {
  const { page, url } = await open();
  const keys = countKeys(page);
  await page.goto(`${url}/machines/${machine}?screen`);
  await expectFocusOn(page, /^Screen of quokka$/);
  await setPower('power-off');
  await expectFocusOn(page, /^The machine is off\./);
  expect((await readFocus(page)).region).toBe('main');
  const before = keys.sent();
  // Neither changes the view nor presses what stands beside it.
  for (const key of ['ArrowRight', 'Space', 'Enter', 'x']) await page.keyboard.press(key);
  expect((await host.server.api.vm(machine)).state).toBe('shut_off');
  await expectFocusOn(page, /^The machine is off\./);
  await screenshot(page, 'screen-off-with-focus');
  await setPower('start');
  await expectFocusOn(page, /^Screen of quokka$/);
  expect(keys.sent()).toBe(before);
  await page.keyboard.press('y');
  await until(() => keys.sent() > before, { what: 'the key to go to the machine' });
});

it('who opens the page of a machine keeps the focus: it is off, it was not asked for, or they went on', async () => {
  const { page, url } = await open();
  await setPower('power-off');
  await page.goto(`${url}/machines/${machine}?screen`);
  await page.getByText('The machine is off.').waitFor();
  await setPower('start');
  await page.locator('[data-screen="connected"]').waitFor();
  expect((await readFocus(page)).name).not.toMatch(/^Screen of quokka$/);
  await page.goto(`${url}/machines`);
  await tabTo(page, /^quokka$/);
  await page.keyboard.press('Enter');
  await page.locator('[data-screen="connected"]').waitFor();
  await expectFocusOn(page, /^quokka #?\d+$|^quokka#\d+$/);
  await page.keyboard.press('a');
  await expectFocusOn(page, /^quokka/);
});

it('at 320 px the way out is in sight', async () => {
  const { page, url } = await open({ viewport: { width: 320, height: 640 } });
  await page.goto(`${url}/machines/${machine}?screen`);
  await expectFocusOn(page, /^Screen of quokka$/);
  await page.locator('.screen-bar').getByText(typing).waitFor();
  await screenshot(page, 'screen-has-keys-320');
  expect(await findClippedElements(page)).toEqual([]);
});
