import { join } from 'node:path';
import type { Vm } from '@wcc/api';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { powerOffMachines } from '../kit/machines.ts';
import { findImage, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { readFocus, collectFocusRegions, tabTo, expectFocusOn } from '../kit/browser/focus.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Keyboard use of dialogs: focus, closing by Escape, and input kept after a refusal. */
let server: TestServer;
let browser: Browser;
let user: TestUser;
const contexts = closeContextsAfterEach();

beforeAll(async () => {
  server = await startServer({ args: ['--hypervisor', 'qemu', '--free-space-floor', '0'] });
  browser = await launchBrowser();
  user = await createUser(server, 'sato', 'admin');
});
afterAll(async () => {
  await powerOffMachines(server);
  await browser.close();
  await server.close();
});

async function makeImage(name: string): Promise<number> {
  await makeRandomImage(join(server.poolDir, name), MiB);
  return (await registerImage(server, name)).id;
}

async function open(path: string, locale: 'en' | 'ja' = 'en'): Promise<ConsoleTab & { dialog: Locator }> {
  const consoleTab = await openConsole(browser, { server, user }, { locale });
  contexts.push(consoleTab.context);
  await consoleTab.page.goto(`${consoleTab.url}${path}`);
  await consoleTab.page.locator('main h1').waitFor();
  return { ...consoleTab, dialog: consoleTab.page.getByRole('dialog') };
}

/** Leaves GET requests to this address without an answer, like a slow server. */
async function withholdAnswers(page: Page, address: RegExp): Promise<void> {
  await page.route(address, (route) => (route.request().method() === 'GET' ? undefined : route.continue()));
}

async function openByKeys(page: Page, opener: RegExp, first: RegExp): Promise<void> {
  await tabTo(page, opener);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await expectFocusOn(page, first);
}

/** More than the number of focusable elements in any dialog. */
const tabPresses = 16;

/** Asserts that the focus starts on the first field, stays in the dialog, and returns to the button after Escape. */
async function expectFocusTrap(
  page: Page,
  { opener, first }: { opener: RegExp; first: RegExp },
): Promise<void> {
  await openByKeys(page, opener, first);
  expect(await collectFocusRegions(page, tabPresses), String(opener)).toEqual(['dialog']);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await expectFocusOn(page, opener);
}

async function retype(page: Page, text: string): Promise<void> {
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

/** Waits until the focus is in this region of the page. */
async function expectFocusIn(page: Page, region: string): Promise<void> {
  let seen = '';
  await until(async () => (seen = (await readFocus(page)).region) === region, {
    what: () => `the focus in ${region}; it is in “${seen}”`,
  });
}

it('every image dialog traps the focus and returns it to its button after Escape', async () => {
  const id = await makeImage('round.raw');
  const { page, url, record } = await open('/images');
  await page.getByText('round.raw').waitFor();
  const listDialogs = [
    { opener: /^Import$/, first: /^Address/ },
    { opener: /^Upload$/, first: /^Choose files$/ },
    { opener: /^Copy round\.raw$/, first: /^New name/ },
  ];
  for (const each of listDialogs) await expectFocusTrap(page, each);
  await page.goto(`${url}/images/${id}`);
  await page.locator('.image-actions button').first().waitFor();
  const imageDialogs = [
    { opener: /^Copy$/, first: /^New name/ },
    { opener: /^Convert$/, first: /^qcow2$/i },
    { opener: /^Check$/, first: /^Expected SHA-256/ },
    { opener: /^Delete$/, first: /^Cancel$/ },
  ];
  for (const each of imageDialogs) await expectFocusTrap(page, each);
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('a name that the server refuses stays in the dialog’s field, with the reason and the focus', async () => {
  const id = await makeImage('refused.raw');
  const { page, dialog } = await open(`/images/${id}`);
  await openByKeys(page, /^Convert$/, /^qcow2$/i);
  await tabTo(page, /^New name|^Name/);
  await retype(page, 'refused.raw');
  await page.keyboard.press('Enter');
  const name = dialog.locator('#convert-name');
  await dialog.locator('#convert-name-note.bad').waitFor();
  await expectFocusOn(page, /^New name|^Name/);
  expect([await name.inputValue(), await name.getAttribute('aria-invalid')]).toEqual(['refused.raw', 'true']);
  await retype(page, 'converted.qcow2');
  // The dialog closes without waiting for the page's later requests.
  await withholdAnswers(page, /\/api\/(images|operations)/);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await expectFocusOn(page, /^Convert$/);
  await until(async () => (await findImage(server, 'converted.qcow2'))?.state === 'ready', {
    what: 'the converted image',
  });
});

it('the copy dialog shows a refusal at the name field if the name was taken in the meantime', async () => {
  await makeImage('twice.raw');
  const { page, dialog } = await open('/images');
  await page.getByText('twice.raw').waitFor();
  await openByKeys(page, /^Copy twice\.raw$/, /^New name/);
  await retype(page, 'soon-taken.raw');
  await dialog.getByText('This name is free.').waitFor();
  const id = (await findImage(server, 'twice.raw'))?.id ?? 0;
  const { operation } = await server.api.copyImage(id, { name: 'soon-taken.raw' });
  await waitForState(server, operation.id, { states: ['succeeded'] });
  await tabTo(page, /^Copy$/);
  await page.keyboard.press('Space');
  await dialog.locator('#copy-name-note.bad').waitFor();
  await expectFocusOn(page, /^New name/);
  expect(await dialog.locator('#copy-name').inputValue()).toBe('soon-taken.raw');
});

it('a dialog keeps focus and input after a refusal that concerns no field', async () => {
  const { page, dialog } = await open('/images');
  await page.route(/\/api\/images\/import/, (route) => route.abort());
  await openByKeys(page, /^Import$/, /^Address/);
  await page.keyboard.type('https://files.example/new.raw');
  await tabTo(page, /^Import$/);
  await page.keyboard.press('Enter');
  await dialog.locator('.problem').waitFor();
  await expectFocusOn(page, /^Import$/);
  expect((await readFocus(page)).region).toBe('dialog');
  expect(await dialog.locator('#import-name').inputValue()).toBe('new.raw');
});

it('the import dialog names a proxy and its status 413 in Japanese', async () => {
  const { page, dialog } = await open('/images', 'ja');
  const body = '<html><h1>413 Request Entity Too Large</h1></html>';
  await page.route(/\/api\/images\/import/, (route) => route.fulfill({ status: 413, body }));
  await openByKeys(page, /^取り込み$/, /^アドレス/);
  await page.keyboard.type('https://files.example/new.raw');
  await page.keyboard.press('Enter');
  await dialog.getByText('サーバーまたは途中のプロキシが 413 を返しました。').waitFor();
  await expectFocusOn(page, /^アドレス/);
});

it('the focus moves to the next row or the heading if the element that opened a dialog is gone', async () => {
  const [first] = [await makeImage('gone-a.raw'), await makeImage('gone-b.raw')];
  const { page, url, dialog } = await open('/images');
  const rows = page.locator('tr[data-image]');
  await rows.filter({ hasText: 'gone-b.raw' }).waitFor();
  await openByKeys(page, /^Copy gone-a\.raw$/, /^New name/);
  const nextRow = rows.filter({ hasText: 'gone-a.raw' }).locator('xpath=following-sibling::tr[1]');
  const name = await nextRow.locator('a.name').innerText();
  await server.api.deleteImage(first);
  await rows.filter({ hasText: 'gone-a.raw' }).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await expectFocusOn(page, new RegExp(`^${name}$`));

  const id = (await findImage(server, 'gone-b.raw'))?.id ?? 0;
  await page.goto(`${url}/images/${id}`);
  await openByKeys(page, /^Delete$/, /^Cancel$/);
  await tabTo(page, /^Delete/);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('Image not found').waitFor();
  await expectFocusOn(page, /^Images$/);

  // Another user deletes the image while the dialog is open.
  const other = await makeImage('gone-c.raw');
  await page.goto(`${url}/images/${other}`);
  await openByKeys(page, /^Convert$/, /^qcow2$/i);
  await server.api.deleteImage(other);
  await page.getByText('Image not found').waitFor();
  await expectFocusOn(page, /^Images$/);
});

async function makeMachine(name: string): Promise<Vm> {
  const image = (await findImage(server, 'disk.raw'))?.id ?? (await makeImage('disk.raw'));
  const request = { name, image, start: false, cpus: 1, memoryBytes: 32 * MiB };
  const { operation } = await server.api.quickCreateVm(request);
  await waitForState(server, operation.id, { states: ['succeeded'] });
  return server.api.vm(Number(operation.subject.id));
}

it('a machine is deleted and another one created by keyboard alone', async () => {
  const machine = await makeMachine('quokka-keys');
  const { page, dialog, record } = await open(`/machines/${machine.id}`);
  await page.locator('.vm-actions button').first().waitFor();
  const machineDialogs = [
    { opener: /^Copy$/, first: /name/i },
    { opener: /^Change (hardware|settings)|^Settings|^Change$/, first: /^Name/ },
    { opener: /^Add (a |an empty )?disk/, first: /^Size|disk size/i },
    { opener: /^Insert/, first: /^(ISO|Image|Cancel)/ },
  ];
  for (const each of machineDialogs) await expectFocusTrap(page, each);
  await openByKeys(page, /^Delete/, /^With its disks|^Delete/);
  await tabTo(page, /quokka-keys/);
  await page.keyboard.type('quokka-keys');
  // The dialog closes without waiting for the list of machines.
  await withholdAnswers(page, /\/api\/vms$/);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await expectFocusOn(page, /^Machines$/);
  await page.unrouteAll();

  await makeMachine('quokka-other');
  await page.locator('tr', { hasText: 'quokka-other' }).waitFor();
  await openByKeys(page, /^Quick-create$/, /^Name/);
  await withholdAnswers(page, /\/api\/vms$/);
  await makeMachine('quokka-late');
  await retype(page, 'quokka-late');
  await page.keyboard.press('Enter');
  await dialog.locator('#quick-name-note.bad').waitFor();
  await expectFocusOn(page, /^Name/);
  await retype(page, 'quokka-made');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await expectFocusIn(page, 'main');
  const isRunning = async (): Promise<boolean> =>
    (await server.api.vms()).items.some(({ name, state }) => name === 'quokka-made' && state === 'running');
  await until(isRunning, { what: 'the machine created by keyboard to run', timeoutMs: 60_000 });
  expect(record).toEqual({ cspViolations: [], errors: [] });
});
