import { copyFileSync, utimesSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { launchBrowser, screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import type { FaultProxy } from '../kit/network/fault-proxy.ts';
import { GiB, makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { findImage, expectNoOrphans, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { readRow, rowOf } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';
import { chooseFileAgain, acceptLeavePrompts, untilReceived, uploadByDialog } from '../kit/browser/upload.ts';

/** An upload survives a reload and resumes with its own file only. */
const sizeBytes = 64 * MiB;
/** Keeps chunks at 16 MiB or less: the console sends a larger one only if a chunk takes less than two seconds. */
const bytesPerSecond = 6 * MiB;
const maxChunkBytes = 16 * MiB;

let server: TestServer;
let proxy: FaultProxy;
let browser: Browser;
let user: TestUser;
let files: Workspace;
let path: string;
let digest: string;

beforeAll(async () => {
  files = makeWorkspace('upload');
  path = join(files.path, 'disk.raw');
  await makeRandomImage(path, sizeBytes);
  digest = await sha256(path);
  const port = await findFreePort();
  proxy = await createFaultProxy(port);
  server = await startServer({ port, args: ['--public-url', `http://127.0.0.1:${proxy.port}`] });
  browser = await launchBrowser();
  user = await createUser(server, 'chief', 'admin');
});
let consoleTab: ConsoleTab;
beforeEach(async () => {
  proxy.setMode('pass');
  proxy.setUploadBandwidth(bytesPerSecond);
  consoleTab = await openConsole(browser, { server, user }, { port: proxy.port });
});
afterEach(async () => {
  proxy.setMode('pass');
  proxy.setUploadBandwidth(null);
  await consoleTab.context.close().catch(() => undefined);
});
afterAll(async () => {
  await browser.close();
  await proxy.close();
  await server.close();
  files.remove();
});

/** Copies the file to another name, so that each test has an image of its own. */
function makeFile(name: string): string {
  const copyPath = join(files.path, name);
  copyFileSync(path, copyPath);
  return copyPath;
}

async function expectComplete(name: string, id: string): Promise<void> {
  await waitForState(server, id, { states: ['succeeded'], timeoutMs: 90_000 });
  expect(await sha256(join(server.poolDir, name))).toBe(digest);
  expect((await findImage(server, name))?.state).toBe('ready');
  const unfinished = (await server.api.uploads({ owner: 'all' })).items.map((upload) => upload.id);
  await expectNoOrphans(server.poolDir, unfinished);
}

/** A whole second, because browsers round or truncate fractions of a file's modification time. */
const wholeSecond = new Date('2026-01-02T03:04:05Z');

it('an upload after a reload refuses a wrong file and resumes with the right one at the server’s offset', async () => {
  const { page } = consoleTab;
  const prompts = acceptLeavePrompts(page);
  const copyPath = makeFile('reloaded.raw');
  utimesSync(copyPath, wholeSecond, wholeSecond);
  const before = proxy.fromClients;
  await uploadByDialog(page, copyPath);
  const id = await untilReceived(server, 'reloaded.raw', 0.3);
  await page.reload();
  expect(prompts.count(), 'the page asks before it closes during an upload').toBe(1);
  await page.goto(`http://127.0.0.1:${proxy.port}/operations`);
  const row = rowOf(page, 'reloaded.raw');
  await row
    .getByText(/^Choose reloaded\.raw \(64\.0 MiB\) again to resume at \d/)
    .waitFor({ timeout: 30_000 });
  await screenshot(page, 'upload-interrupted');
  const atReload = proxy.fromClients;

  const other = join(files.path, 'other.raw');
  await makeRandomImage(other, MiB);
  await chooseFileAgain(page, row, other);
  await page
    .getByText(/The chosen file has 1\.0 MiB; the file of the upload has 64\.0 MiB/)
    .first()
    .waitFor();
  // Same size and time, different bytes.
  await makeRandomImage(other, sizeBytes);
  utimesSync(other, wholeSecond, wholeSecond);
  await chooseFileAgain(page, row, other);
  await page
    .getByText(/not the file of reloaded\.raw.*differs at byte/i)
    .first()
    .waitFor();
  expect(proxy.fromClients - atReload, 'nothing of a wrong file is sent').toBeLessThan(MiB);

  await chooseFileAgain(page, row, copyPath);
  await expectComplete('reloaded.raw', id);
  const sent = proxy.fromClients - before;
  console.log(`sent ${(sent / MiB).toFixed(1)} MiB for ${sizeBytes / MiB} MiB`);
  expect(sent).toBeLessThanOrEqual(sizeBytes + maxChunkBytes);
  await until(async () => (await readRow(row)).look === 'succeeded', { what: 'the row to show success' });
  expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
});

const isFull = process.env['WCC_FULL'] === '1';
if (!isFull) console.log('Skipped, upload of 5 GiB: set WCC_FULL=1.');

it.skipIf(!isFull)(
  'a browser uploads 5 GiB with equal content and the test logs the server’s memory',
  { timeout: 900_000 },
  async () => {
    proxy.setUploadBandwidth(null);
    const large = join(files.path, 'large.raw');
    await makeRandomImage(large, 5 * GiB);
    const idle = await residentBytes(server.pid);
    const direct = await openConsole(browser, { server, user }, { port: proxy.port });
    const startedAt = performance.now();
    await uploadByDialog(direct.page, large);
    let peakBytes = 0;
    await until(
      async () => {
        peakBytes = Math.max(peakBytes, await residentBytes(server.pid));
        return (await findImage(server, 'large.raw')) !== undefined;
      },
      { what: 'the uploaded image', timeoutMs: 800_000, everyMs: 250 },
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const rise = (peakBytes - idle) / MiB;
    console.log(
      `5 GiB in ${seconds.toFixed(1)} s, ${(5120 / seconds).toFixed(0)} MiB/s, memory +${rise.toFixed(1)} MiB`,
    );
    expect(await sha256(join(server.poolDir, 'large.raw'))).toBe(await sha256(large));
    await direct.context.close();
  },
);

async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024;
}
