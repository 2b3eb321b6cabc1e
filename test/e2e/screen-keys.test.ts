import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { MiB } from '../kit/images.ts';
import { startMachineHost } from '../kit/machine-host.ts';
import type { MachineHost } from '../kit/machine-host.ts';
import { waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { findClippedElements } from '../kit/browser/clipping.ts';
import { expectFocusOn, readFocus, tabTo } from '../kit/browser/focus.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** The keyboard focus can enter and leave a machine's screen (WCAG 2.1.2), and stays there on power-off. */
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

/** Counts key events sent to machines: RFB message 4 (RFC 6143, 7.5.4), or 255 of QEMU's extension. */
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

/** The keysyms that the page has pressed at machines and not released, from QEMU’s extended key events. */
function trackPressed(page: Page): { pressed: () => number[]; seen: () => number[] } {
  const [pressed, seen] = [new Set<number>(), new Set<number>()];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string' || payload[0] !== 255 || payload[1] !== 0) return;
      const keysym = payload.readUInt32BE(4);
      seen.add(keysym);
      if (payload.readUInt16BE(2) === 1) pressed.add(keysym);
      else pressed.delete(keysym);
    }),
  );
  return { pressed: () => [...pressed], seen: () => [...seen] };
}

async function open(options: { viewport?: { width: number; height: number } } = {}): Promise<ConsoleTab> {
  const consoleTab = await openConsole(browser, { server: host.server, user }, options);
  contexts.push(consoleTab.context);
  return consoleTab;
}

async function setPower(verb: 'start' | 'power-off'): Promise<void> {
  await host.server.api.orderVm(machine, verb);
}

it('the screen link focuses the machine’s screen; F6 leaves it and stops sending keys', async () => {
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
  // The screen sends Tab to the machine, too.
  await page.keyboard.press('Tab');
  await page.keyboard.press('a');
  await until(() => keys.sent() >= 4, { what: 'both keys to be sent to the machine' });
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
  expect(keys.sent(), 'only the last key is sent').toBeLessThanOrEqual(before + 3);
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('V10f: leaving the screen with pressed keys releases them in the machine', async () => {
  const { page, url } = await open();
  const keys = trackPressed(page);
  const [control, shift] = [0xffe3, 0xffe1];
  await page.goto(`${url}/machines/${machine}?screen`);
  await expectFocusOn(page, /^Screen of quokka$/);
  await page.keyboard.down('Control');
  await page.keyboard.down('Shift');
  await until(() => [control, shift].every((key) => keys.pressed().includes(key)), { what: 'both keys' });
  await page.keyboard.press('F6');
  await expectFocusOn(page, /^Use keyboard$/);
  await until(() => keys.pressed().length === 0, { what: 'both keys to be released' });
  await page.keyboard.up('Shift');
  await page.keyboard.up('Control');
  // The pointer leaves the screen, too.
  await page.locator('.screen-canvas canvas').focus();
  await page.keyboard.down('Alt');
  const alt = 0xffe9;
  await until(() => keys.pressed().includes(alt), { what: 'Alt to be pressed' });
  await page.getByRole('heading', { level: 1 }).click();
  await until(() => keys.pressed().length === 0, { what: 'Alt to be released' });
  await page.keyboard.up('Alt');
});

it('the screen keeps the focus when its machine powers off, and receives keys after a new start', async () => {
  const { page, url } = await open();
  const keys = countKeys(page);
  await page.goto(`${url}/machines/${machine}?screen`);
  await expectFocusOn(page, /^Screen of quokka$/);
  await setPower('power-off');
  await expectFocusOn(page, /^The machine is off\./);
  expect((await readFocus(page)).region).toBe('main');
  const before = keys.sent();
  // None of these keys changes the view or presses a button beside it.
  for (const key of ['ArrowRight', 'Space', 'Enter', 'x']) await page.keyboard.press(key);
  expect((await host.server.api.vm(machine)).state).toBe('shut_off');
  await expectFocusOn(page, /^The machine is off\./);
  await screenshot(page, 'screen-off-with-focus');
  await setPower('start');
  await expectFocusOn(page, /^Screen of quokka$/);
  expect(keys.sent()).toBe(before);
  await page.keyboard.press('y');
  await until(() => keys.sent() > before, { what: 'the key to be sent to the machine' });
});

it('the screen does not take the focus without a screen link, or when its machine starts later', async () => {
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

it('the hint to leave the screen by F6 is visible at 320 px', async () => {
  const { page, url } = await open({ viewport: { width: 320, height: 640 } });
  await page.goto(`${url}/machines/${machine}?screen`);
  await expectFocusOn(page, /^Screen of quokka$/);
  await page.locator('.screen-bar').getByText(typing).waitFor();
  await screenshot(page, 'screen-has-keys-320');
  expect(await findClippedElements(page)).toEqual([]);
});
