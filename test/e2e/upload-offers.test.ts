import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findAxeViolations } from '../kit/browser/axe.ts';
import { launchBrowser, screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { findImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { findClippedElements } from '../kit/browser/clipping.ts';
import { expectFocusOn, tabTo } from '../kit/browser/focus.ts';
import { rowOf } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import { createTusClient } from '../kit/tus.ts';
import { goToOperations } from '../kit/browser/upload.ts';

/** Several unfinished uploads: the dialog lists them and matches each chosen file to its upload. */
let server: TestServer;
let browser: Browser;
let files: Workspace;
const wholeSecond = new Date('2026-01-02T03:04:05Z');

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  files = makeWorkspace('offers');
});
afterAll(async () => {
  await browser.close();
  await server.close();
  files.remove();
});

/** Makes a file with the same modification time as the others, so that only its name can match. */
async function makeFile(name: string, sizeBytes: number): Promise<string> {
  const path = join(files.path, name);
  await makeRandomImage(path, sizeBytes);
  utimesSync(path, wholeSecond, wholeSecond);
  return path;
}

it('the upload dialog resumes unfinished uploads by file name and refuses other files with the reason', async () => {
  const user = await createUser(server, 'sato', 'operator');
  const { page, session, record } = await openConsole(browser, { server, user });
  const tus = createTusClient(server.baseUrl, { ...session.headers, origin: session.origin });
  for (const [name, sizeBytes] of [
    ['first.raw', 2 * MiB],
    ['second.raw', 2 * MiB],
    ['large.raw', 4 * MiB],
  ] as const) {
    const path = await makeFile(name, sizeBytes);
    const made = await tus.create(name, sizeBytes, { lastModified: String(wholeSecond.getTime()) });
    await tus.patch(made, 0, readFileSync(path).subarray(0, MiB));
  }
  await page.getByRole('button', { name: 'Upload', exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  const offers = dialog.getByRole('region', { name: 'Unfinished uploads' });
  await offers.getByText('second.raw').waitFor();
  const listed = (await offers.locator('li').allInnerTexts()).map((each) => each.replaceAll(/\s+/g, ' '));
  expect(listed.toSorted()).toEqual([
    'first.raw 2.0 MiB · 50 % sent',
    'large.raw 4.0 MiB · 25 % sent',
    'second.raw 2.0 MiB · 50 % sent',
  ]);
  const second = join(files.path, 'second.raw');
  const digest = await sha256(second);
  // This file has the name of an unfinished upload, but another size.
  const large = await makeFile('large.raw', 3 * MiB);
  const chooser = dialog.locator('#upload-files');
  await chooser.setInputFiles([second, large]);
  await dialog.getByText('Resume second.raw at 50 %').waitFor();
  await dialog.getByText('An unfinished upload of 4.0 MiB has this name.').waitFor();
  await screenshot(page, 'upload-offers');
  expect(await findAxeViolations(page)).toEqual([]);
  await page.setViewportSize({ width: 320, height: 640 });
  await screenshot(page, 'upload-offers-320');
  expect(await findClippedElements(page)).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 800 });
  await dialog.getByRole('button', { name: 'Remove large.raw from the list' }).click();

  const first = join(files.path, 'first.raw');
  writeFileSync(first, Buffer.alloc(2 * MiB, 7));
  utimesSync(first, wholeSecond, wholeSecond);
  await chooser.setInputFiles([first]);
  await dialog.getByText('Resume first.raw at 50 %').waitFor();
  await tabTo(page, /^Upload 2 files$/);
  await page.keyboard.press('Enter');
  await dialog.getByText(/^This is not the file of first\.raw\..*differs at byte/).waitFor();
  await expectFocusOn(page, /^Resume first\.raw/);
  await screenshot(page, 'upload-offers-wrong');
  expect(await offers.innerText(), 'resumed uploads are no longer offered').not.toMatch(/second|first/);
  await until(async () => (await findImage(server, 'second.raw'))?.state === 'ready', { what: 'the image' });
  expect(await sha256(join(server.poolDir, 'second.raw'))).toBe(digest);

  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await goToOperations(page);
  await rowOf(page, 'first.raw').getByText('Choose first.raw (2.0 MiB) again to resume at 50.0 %').waitFor();
  expect(record).toEqual({ cspViolations: [], errors: [] });
});
