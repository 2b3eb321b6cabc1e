import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, recordPageErrors, screenshot } from '../kit/browser/browser.ts';
import { readFirstSignInLink } from '../kit/session.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

/** The steps of docs/tour.md. This test makes its screenshots. */
let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  server = await startServer({ token: null, args: ['--hypervisor', 'qemu'] });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

it('the tour leads from the first sign-in to a machine on the screen', { timeout: 400_000 }, async () => {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1120, height: 760 } });
  const record = await recordPageErrors(context);
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const startedAt = performance.now();
  await page.goto((await readFirstSignInLink(server)).href);
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
  await screenshot(page, 'tour-1-sign-in');
  await page.getByRole('button', { name: 'Set password and sign in' }).click();
  const sample = page.getByRole('button', { name: 'Make a sample image' });
  await sample.waitFor();
  await page.getByText('Hypervisor', { exact: true }).waitFor();
  await screenshot(page, 'tour-2-first-steps');
  await sample.click();
  await page.getByText('Image ready').waitFor();
  await page.locator('.first-ways').getByRole('button', { name: 'Quick-create' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('This name is free.').waitFor();
  await screenshot(page, 'tour-3-quick-create');
  await dialog.getByRole('button', { name: 'Create and start' }).click();
  await page.locator('[data-screen="connected"]').waitFor();
  console.log(
    `signed in, image made, machine on the screen: ${Math.round((performance.now() - startedAt) / 1000)} s`,
  );
  await page.locator('.vm-head').getByText('Running').waitFor();
  await page.locator('.rows wcc-progress').first().waitFor();
  await screenshot(page, 'tour-4-machine');
  await page.getByRole('button', { name: 'Power off' }).click();
  await dialog.getByRole('button', { name: 'Power off' }).click();
  await page.locator('.vm-head').getByText('Off', { exact: true }).waitFor();
  expect(record).toEqual({ cspViolations: [], errors: [] });
  await context.close();
});
