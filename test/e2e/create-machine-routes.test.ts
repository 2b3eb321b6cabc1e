import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FirstBootProfile } from '@wcc/api';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bootableIso } from '../../packages/server/src/machines/seed/iso.testkit.ts';
import { findAxeViolations } from '../kit/browser/axe.ts';
import { launchBrowser, screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { closeContextsAfterEach } from '../kit/browser/contexts.ts';
import { powerOffMachines } from '../kit/machines.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';

/** Steps before machine creation: the user's first-boot profile, an upload, and the links from an image. */
let server: TestServer;
let browser: Browser;
const contexts = closeContextsAfterEach();

beforeAll(async () => {
  server = await startServer({ args: ['--hypervisor', 'qemu'] });
  browser = await launchBrowser();
});
afterAll(async () => {
  await powerOffMachines(server);
  await browser.close();
  await server.close();
});

async function open(name: string, role: 'operator' | 'viewer') {
  const consoleTab = await openConsole(browser, { server, user: await createUser(server, name, role) });
  contexts.push(consoleTab.context);
  return consoleTab;
}

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2dG4 sato@desk';

/** Replaces the text of the focused field by keyboard. */
async function type(page: Page, text: string): Promise<void> {
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

it('the settings page saves a first-boot profile by keyboard and marks invalid fields', async () => {
  const { page, url, session, record } = await open('sato', 'operator');
  await page.goto(`${url}/settings`);
  const form = page.locator('wcc-profile-form');
  const [user, keys] = [form.getByLabel('User'), form.getByLabel('SSH keys')];
  const isFocused = (id: string): Promise<boolean> => page.locator(`#${id}:focus`).isVisible();
  await user.focus();
  await type(page, 'Sato');
  await page.keyboard.press('Enter');
  await form.getByText('start with a letter or underscore').waitFor();
  expect(await user.getAttribute('aria-invalid')).toBe('true');
  expect(await isFocused('profile-user')).toBe(true);
  await type(page, 'sato');
  expect(await user.getAttribute('aria-invalid')).toBe('false');
  await page.keyboard.press('Tab');
  await type(page, `${key}\nnot a key`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await form.getByText('Key 2 is not a public key.', { exact: false }).waitFor();
  expect(await isFocused('profile-sshKeys')).toBe(true);
  expect(await findAxeViolations(page)).toEqual([]);
  await screenshot(page, 'profile-refused');
  const sent: string[] = [];
  page.on('request', (request) => request.method() === 'PUT' && sent.push(request.url()));
  await type(page, '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await form.getByText('This is a private key. Do not share it.', { exact: false }).waitFor();
  expect(sent).toEqual([]);
  await type(page, `${key}\n`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await form.getByText('The profile was saved.', { exact: false }).waitFor();
  await page.reload();
  await until(async () => (await user.inputValue()) === 'sato', { what: 'the saved profile after a reload' });
  expect(await keys.inputValue()).toBe(key);
  const { text } = await session.request('GET', '/api/session/profile');
  expect(JSON.parse(text) as FirstBootProfile).toEqual({ user: 'sato', sshKeys: [key] });
  await screenshot(page, 'profile');
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('home opens the upload dialog; image pages preselect their disk or ISO for a new machine', async () => {
  const { page, url, record } = await open('suzuki', 'operator');
  await page.goto(url);
  await page.getByRole('button', { name: 'Upload an ISO' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('input[type=file]').waitFor({ state: 'attached' });
  expect(new URL(page.url()).pathname).toBe('/');
  await screenshot(page, 'home-upload');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });

  const { operation } = await server.api.makeSampleImage({ name: 'disk.raw', sizeBytes: 16 * 1024 ** 2 });
  const { result } = await waitForState(server, operation.id, { states: ['succeeded'] });
  writeFileSync(join(server.poolDir, 'boot.iso'), bootableIso());
  const [disk, iso] = [Number(result?.id), (await registerImage(server, 'boot.iso')).id];
  const [quick, create] = [
    page.getByRole('link', { name: 'Quick-create machine' }),
    page.getByRole('link', { name: 'Create machine', exact: true }),
  ];
  await page.goto(`${url}/images/${disk}`);
  await quick.click();
  await until(async () => (await page.locator('#quick-image').inputValue()) === String(disk), {
    what: 'quick-create to preselect the image',
  });
  await page.goto(`${url}/images/${disk}`);
  await create.waitFor();
  await screenshot(page, 'image-machine-links');
  await page.goto(`${url}/images/${iso}`);
  await create.click();
  await page.getByRole('button', { name: /Disks/ }).click();
  await until(async () => (await page.locator('#create-cdrom').inputValue()) === String(iso), {
    what: 'the ISO to be in the drive',
  });
  await page.reload();
  await page.getByRole('button', { name: /Disks/ }).click();
  await until(async () => (await page.locator('#create-cdrom').inputValue()) === String(iso), {
    what: 'the ISO to be in the drive after a reload',
  });
  await page.goto(`${url}/images/${iso}`);
  await create.waitFor();
  expect(await quick.count()).toBe(0);
  expect(record).toEqual({ cspViolations: [], errors: [] });

  const viewer = await open('guest', 'viewer');
  await viewer.page.goto(`${url}/settings`);
  await viewer.page.getByRole('heading', { name: 'Password' }).waitFor();
  expect(await viewer.page.locator('wcc-profile-form').count()).toBe(0);
});
