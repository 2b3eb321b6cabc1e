import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { MiB } from '../kit/images.ts';
import { listImages, waitForState } from '../kit/operations.ts';
import { rowOf } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';

/**
 * Names that are code in HTML, SQL, templates or shells (threat 15 of docs/security.md). File names may contain
 * nearly any character. Each image must be listed, copied and shown, and no name may run, load or break the page.
 */
const corpus = [
  '<img src=x onerror=alert(1)>.raw',
  '<script>alert(1)<script>.raw',
  '"><svg onload=alert(1)>.raw',
  "' onmouseover='alert(1).raw",
  'javascript:alert(1).raw',
  '{{constructor.constructor("alert(1)")()}}.raw',
  '${alert(1)}.raw',
  '<!--#exec cmd="id"-->.raw',
  '<base href=http:example.org>.raw',
  '<iframe srcdoc="&lt;script&gt;alert(1)">.raw',
  '&lt;b&gt;&amp;#x3c;.raw',
  '__proto__',
  'constructor.raw',
  '%3Cimg%20src%3Dx%3E%00.raw',
  "Robert'); DROP TABLE images;--.raw",
  '\u{1f4be} ディスク-🇯🇵 Ωμέγα.raw',
  `${'長'.repeat(80)}.raw`,
];

let server: TestServer;
let browser: Browser;
let consoleTab: ConsoleTab;

beforeAll(async () => {
  server = await startServer({ args: ['--max-copies-per-pool', '8'] });
  for (const name of corpus) writeFileSync(join(server.poolDir, name), Buffer.alloc(MiB, 1));
  const pool = (await server.api.pools()).items[0]!;
  await server.api.rescan(pool.id);
  browser = await launchBrowser();
  consoleTab = await openConsole(browser, { server, user: await createUser(server, 'chief', 'admin') });
  await consoleTab.context.exposeFunction('alert', () => {
    throw new Error('code from a name ran');
  });
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

it('images with code in their names are listed literally, and no code runs', async () => {
  const images = await listImages(server);
  expect(images.map(({ name }) => name).toSorted()).toEqual([...corpus].toSorted());
  const { page, url } = consoleTab;
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(`${url}/images`);
  for (const name of corpus) await page.getByText(name, { exact: true }).first().waitFor();
  expect(dialogs).toEqual([]);
  expect(requests.filter((each) => new URL(each).origin !== url)).toEqual([]);
  expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
});

it('copies of images with code in their names appear literally as rows and in the copy dialog', async () => {
  const { page, url } = consoleTab;
  const images = await listImages(server);
  await page.goto(`${url}/operations`);
  for (const [index, name] of corpus.slice(0, 14).entries()) {
    const image = images.find((each) => each.name === name)!;
    const { operation } = await server.api.copyImage(image.id, { name: `${index} ${name}` });
    await waitForState(server, operation.id, { states: ['succeeded'] });
    await rowOf(page, `${index} ${name}`).waitFor();
  }
  await page.goto(`${url}/images`);
  for (const name of corpus.slice(0, 4)) {
    await page.getByRole('button', { name: `Copy ${name}`, exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(name, { exact: true }).first().waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  }
  expect(await page.evaluate(() => document.querySelectorAll('base, iframe, img').length)).toBe(0);
  expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
});

it('code in console and API addresses is not executed', async () => {
  const { page, url } = consoleTab;
  const answers: number[] = [];
  for (const path of [
    '/<img src=x onerror=alert(1)>',
    '/images/"><script>alert(1)</script>',
    '/operations#<svg onload=alert(1)>',
  ]) {
    const response = await page.goto(url + path);
    answers.push(response?.status() ?? 0);
    await page.locator('wcc-console').waitFor();
  }
  const api = await fetch(`${server.baseUrl}/api/%3Cscript%3Ealert(1)%3C/script%3E`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  expect(api.headers.get('content-type')).toMatch(/json/);
  expect(api.headers.get('x-content-type-options')).toBe('nosniff');
  await api.body?.cancel();
  expect(answers.every((status) => status === 200 || status === 404)).toBe(true);
  expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
});
