import { existsSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeTimeoutMs, findAxeViolationsInThemes, localesOr } from '../kit/browser/axe.ts';
import { launchBrowser, screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleOptions, ConsoleTab } from '../kit/browser/console.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { powerOffMachines } from '../kit/machines.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { findClippedElements } from '../kit/browser/clipping.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Tests accessibility, 320 px, missing access, and a host without QEMU on the machine pages. */
let server: TestServer;
let browser: Browser;
let user: TestUser;
const numbers: Record<string, number> = {};
const contexts = closeContextsAfterEach();

beforeAll(async () => {
  server = await startServer({ args: ['--hypervisor', 'qemu', '--max-copies-per-pool', '1'] });
  browser = await launchBrowser();
  user = await createUser(server, 'chief', 'admin');
  await makeRandomImage(join(server.poolDir, 'source.raw'), 32 * MiB);
  const image = await registerImage(server, 'source.raw');
  const make = async (name: string, start: boolean): Promise<void> => {
    const size = { cpus: 1, memoryBytes: 32 * MiB };
    const { operation } = await server.api.quickCreateVm({ name, image: image.id, start, ...size });
    await waitForState(server, operation.id, { states: ['succeeded'] });
    numbers[name] = Number(operation.subject.id);
  };
  await make('quokka-on', true);
  await make('quokka-off', false);
  // A very slow copy occupies the only slot, so the creation of the next machine stays queued.
  const slow = { name: 'slow.raw', method: 'copy', bytesPerSecond: 65_536 } as const;
  const copy = await server.api.copyImage(image.id, slow);
  await waitForState(server, copy.operation.id, { states: ['running'] });
  const disks = [{ kind: 'copy', image: image.id, method: 'copy' } as const];
  const { operation } = await server.api.createVm({
    name: 'quokka-queued',
    cpus: 1,
    memoryBytes: 32 * MiB,
    disks,
  });
  numbers['quokka-queued'] = Number(operation.subject.id);
});
afterAll(async () => {
  await powerOffMachines(server);
  await browser.close();
  await server.close();
});

async function open(options: ConsoleOptions = {}): Promise<ConsoleTab> {
  const consoleTab = await openConsole(browser, { server, user }, options);
  contexts.push(consoleTab.context);
  return consoleTab;
}

/** Opens each view of machines in turn. */
async function visitViews(
  { page, url }: ConsoleTab,
  inspect: (view: string) => Promise<void>,
): Promise<void> {
  const dialog = page.getByRole('dialog');
  const row = (name: string): ReturnType<Page['locator']> => page.locator('tr', { hasText: name });
  await page.goto(`${url}/machines`);
  for (const name of ['quokka-on', 'quokka-off', 'quokka-queued']) await row(name).waitFor();
  await row('quokka-queued').locator('wcc-progress, [data-state="making"]').first().waitFor();
  await inspect('machines');
  await page.locator('.page-head button.primary').click();
  await dialog.locator('input').first().waitFor();
  await inspect('quick-create');
  await page.keyboard.press('Escape');
  await page.goto(`${url}/machines/new`);
  const steps = page.locator('.wizard-nav button');
  for (let step = 0; step < 6; step += 1) {
    await steps.nth(step).click();
    await page.locator('.wizard-nav button[aria-current="step"]').nth(0).waitFor();
    // The other steps use the same kinds of fields.
    if ([0, 2, 4, 5].includes(step)) await inspect(`create-${step + 1}`);
  }
  await page.goto(`${url}/machines/${numbers['quokka-on']}`);
  await page.locator('[data-screen="connected"]').waitFor();
  await inspect('machine');
  await page.locator('.vm-actions button').last().click();
  await dialog.locator('input').first().waitFor();
  await inspect('delete');
  await page.keyboard.press('Escape');
  await page.goto(`${url}/machines/${numbers['quokka-queued']}`);
  await page.locator('.operation-card wcc-progress').waitFor();
  await inspect('machine-waiting');
}

it.each(localesOr('ja'))('machine pages pass axe: %s', { timeout: axeTimeoutMs }, async (locale) => {
  const consoleTab = await open({ locale });
  const problems: Record<string, string[]> = {};
  await visitViews(consoleTab, async (view) => {
    const found = await findAxeViolationsInThemes(consoleTab.page, { locale, name: view });
    if (found.length > 0) problems[view] = found;
  });
  expect(problems).toEqual({});
  expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
});

it('machine pages are not clipped at 320 px', async () => {
  const consoleTab = await open({ viewport: { width: 320, height: 640 } });
  const problems: Record<string, string[]> = {};
  await visitViews(consoleTab, async (view) => {
    await screenshot(consoleTab.page, `${view}-320`);
    const found = await findClippedElements(consoleTab.page);
    if (found.length > 0) problems[view] = found;
  });
  expect(problems).toEqual({});
});

it.each(['operator', 'viewer'] as const)(
  'a user with role %s and no grants sees no machine on any page',
  async (role) => {
    const stranger = await createUser(server, `stranger-${role}`, role);
    const { page, url, context } = await openConsole(browser, { server, user: stranger });
    contexts.push(context);
    for (const path of ['machines', 'images', 'operations', '', `machines/${numbers['quokka-on']}`]) {
      await page.goto(`${url}/${path}`);
      await page.locator('main h1, main h2').first().waitFor();
      await page.waitForLoadState('networkidle').catch(() => {});
      expect(await page.locator('main').innerText(), path).not.toContain('quokka');
    }
    await page.getByText('Machine not found').waitFor();
    expect(await page.locator('wcc-machine-screen, wcc-serial-view').count()).toBe(0);
  },
);

it('autostart is set on the page of a running machine, and the list shows the order of starts', async () => {
  const { page, url, record } = await open();
  await server.api.changeVm(numbers['quokka-off'] ?? 0, { autostart: { enabled: true, order: 5 } });
  await page.goto(`${url}/machines/${numbers['quokka-on']}`);
  const card = page.getByRole('region', { name: 'Start with the host' });
  await card.getByText('Off', { exact: true }).waitFor();
  await card.getByRole('button', { name: 'Change autostart' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('checkbox').check();
  await dialog.getByLabel('Order').fill('x');
  await dialog.getByText('Enter a whole number from 0 to 9999.').waitFor();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.locator('#vm-autostart-order:focus').waitFor();
  await dialog.getByLabel('Order').fill('3');
  await dialog.getByLabel('Delay').fill('15');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await card.getByText('15 s').waitFor();
  const { autostart, state } = await server.api.vm(numbers['quokka-on'] ?? 0);
  expect([autostart, state]).toEqual([{ enabled: true, order: 3, delaySeconds: 15 }, 'running']);
  await page.goto(`${url}/machines`);
  const starts = page.getByRole('region', { name: 'Start with the host' }).getByRole('listitem');
  await expect
    .poll(async () => (await starts.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim()))
    .toEqual(['quokka-on after 15 s', 'quokka-off']);
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('the image page refuses to delete a base image and names the machine that uses it', async () => {
  const { page, url } = await open();
  await page.goto(`${url}/images`);
  const id = (await server.api.images()).items.find(({ name }) => name === 'source.raw')?.id;
  await page.goto(`${url}/images/${id}`);
  await page.getByText('quokka-on', { exact: true }).first().waitFor();
  const remove = page.getByRole('button', { name: /^Delete/ });
  const isOff = (await remove.count()) === 0 || (await remove.getAttribute('aria-disabled')) === 'true';
  if (!isOff) {
    await remove.click();
    await page
      .getByRole('dialog')
      .getByText(/quokka-on/)
      .waitFor();
  }
  await expect(server.api.deleteImage(id ?? 0)).rejects.toMatchObject({ code: 'image_in_use' });
});

/** Programs that a bind mount hides from this server, in a mount namespace of its own. */
const hiddenPrograms = ['/usr/bin/qemu-system-x86_64', '/usr/bin/qemu-img', '/usr/bin/virsh'].filter((path) =>
  existsSync(path),
);
const launcher = [
  'unshare',
  process.getuid?.() === 0 ? '-m' : '-rm',
  'sh',
  '-c',
  `for path in ${hiddenPrograms.join(' ')}; do mount --bind /dev/null $path || exit 1; done; exec "$@"`,
  'sh',
];

it('a host without QEMU copies images and refuses machines, naming the packages to install', async () => {
  const bare = await startServer({ launcher, args: ['--free-space-floor', '0'] });
  try {
    const path = join(bare.poolDir, 'source.raw');
    await makeRandomImage(path, MiB);
    await truncate(path, 4 * MiB);
    const image = await registerImage(bare, 'source.raw');
    const { operation } = await bare.api.copyImage(image.id, { name: 'copy.raw' });
    await waitForState(bare, operation.id, { states: ['succeeded'] });
    const packages = /qemu-system-x86/;
    const refused = { code: 'hypervisor_missing', message: expect.stringMatching(packages) as string };
    const quick = bare.api.quickCreateVm({ name: 'never', image: image.id });
    await expect(quick).rejects.toMatchObject(refused);
    const body = { name: 'never', disks: [], cpus: 1, memoryBytes: 32 * MiB };
    await expect(bare.api.createVm(body)).rejects.toMatchObject(refused);
    expect((await bare.api.vms()).items).toEqual([]);
    expect((await bare.api.operations()).items.map(({ action }) => action)).toEqual(['copy_vm_image']);
    const admin = await createUser(bare, 'chief', 'admin');
    const { page, url, context } = await openConsole(browser, { server: bare, user: admin });
    contexts.push(context);
    for (const place of ['machines', 'machines/new']) {
      await page.goto(`${url}/${place}`);
      await page
        .getByTestId('hypervisor-missing')
        .getByText(/apt install .*qemu-system-x86/)
        .waitFor();
      await screenshot(page, `without-qemu-${place.replace('/', '-')}`);
    }
    await page.goto(`${url}/machines`);
    await page.getByRole('button', { name: 'Quick-create' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('This name is free.').waitFor();
    await dialog
      .getByText(/apt install .*qemu-system-x86/)
      .first()
      .waitFor();
  } finally {
    await bare.close();
  }
});
