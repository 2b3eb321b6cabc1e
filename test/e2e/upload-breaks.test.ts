import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { launchKillableBrowser, screenshot } from '../kit/browser/browser.ts';
import type { KillableBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { MiB } from '../kit/images.ts';
import { until } from '../kit/poll.ts';
import {
  findUnformattedValues,
  observeAllChanges,
  readObservation,
  readRow,
  rowOf,
} from '../kit/browser/operation-rows.ts';
import { createUploadFixture, slowBytesPerSecond, slowChunkBytes } from '../kit/upload-fixture.ts';
import type { UploadFixture } from '../kit/upload-fixture.ts';
import { chooseFileAgain, goToOperations, untilReceived, uploadByDialog } from '../kit/browser/upload.ts';

/** Uploads when the server is killed, the network drops all bytes, or the browser is killed. */
const sizeBytes = 24 * MiB;
/** Maximum bytes through the proxy that are not part of the file: request headers, the console and socket frames. */
const overheadBytes = MiB;
/** Minimum length of the black hole. By default it lasts until the page shows that it waits. */
const blackHoleS = Number(process.env['WCC_BLACK_HOLE_S'] ?? '5');

let fixture: UploadFixture;
let consoleTab: ConsoleTab;
let killable: KillableBrowser | null = null;

beforeAll(async () => {
  fixture = await createUploadFixture({ sizeBytes });
});
beforeEach(async () => {
  fixture.proxy.setMode('pass');
  consoleTab = await openConsole(fixture.browser, fixture, { port: fixture.proxy.port });
  await observeAllChanges(consoleTab.page);
  await consoleTab.page.goto(`${consoleTab.url}/images`);
  fixture.proxy.setUploadBandwidth(slowBytesPerSecond);
});
afterEach(async () => {
  fixture.proxy.setMode('pass');
  fixture.proxy.setUploadBandwidth(null);
  await consoleTab.context.close();
  await killable?.kill();
  killable = null;
});
afterAll(() => fixture.close());

/** Asserts that the row names the byte at which it resumes, and that its bar shows the same value. */
async function expectWaitingForServer(row: Locator): Promise<void> {
  await row.getByText(/^No connection\. Resumes automatically at \d/).waitFor();
  const { text } = await readRow(row);
  const [resumesAt, barAt] = [/automatically at ([\d.]+) MiB/, /([\d.]+) of [\d.]+ MiB/].map((each) =>
    Number(each.exec(text)?.[1]),
  );
  // The texts may differ by rounding and by one snapshot.
  expect(Math.abs(resumesAt! - barAt!), text).toBeLessThan(1);
  expect(text).not.toMatch(/MiB\/s|left\b/);
}

/** Asserts that no text on the page said "failed" at any moment. */
async function expectNothingFailed(): Promise<void> {
  const { texts } = await readObservation(consoleTab.page);
  expect(texts.filter((text) => /\bfail(ed|ure)?\b|\berror\b/i.test(text))).toEqual([]);
  expect(findUnformattedValues(texts)).toEqual([]);
  expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
}

async function durableBytes(id: string): Promise<number> {
  return (await fixture.server.api.upload(id)).offsetBytes;
}

it('an upload waits while the server is killed and resumes automatically', async () => {
  const { server, proxy } = fixture;
  const { page } = consoleTab;
  const before = proxy.fromClients;
  await uploadByDialog(page, fixture.makeFile('killed.raw'));
  await goToOperations(page);
  const id = await untilReceived(server, 'killed.raw', 0.5);
  const known = await durableBytes(id);
  await server.kill();
  const row = rowOf(page, 'killed.raw');
  await page
    .getByText(/connection lost/i)
    .first()
    .waitFor();
  await expectWaitingForServer(row);
  expect((await readRow(row)).value, 'the bar keeps its value').toBeGreaterThanOrEqual(0.4);
  await screenshot(page, 'upload-server-killed');
  await server.start();
  expect(await durableBytes(id), 'acknowledged bytes are on the disk').toBeGreaterThanOrEqual(known);
  proxy.setUploadBandwidth(null);
  await fixture.expectComplete('killed.raw', id);
  const resentBytes = proxy.fromClients - before - sizeBytes;
  console.log(`sent again: ${(resentBytes / MiB).toFixed(1)} MiB`);
  expect(resentBytes).toBeLessThanOrEqual(slowChunkBytes + overheadBytes);
  await until(async () => (await readRow(row)).look === 'succeeded', { what: 'the row to show success' });
  await expectNothingFailed();
});

it(`an upload resumes without a failure after a network black hole of at least ${blackHoleS} s`, async () => {
  const { server, proxy } = fixture;
  const { page } = consoleTab;
  await uploadByDialog(page, fixture.makeFile('hole.raw'));
  await goToOperations(page);
  const id = await untilReceived(server, 'hole.raw', 0.25);
  const row = rowOf(page, 'hole.raw');
  proxy.setMode('silent');
  const cutAt = performance.now();
  await page
    .getByText(/connection lost/i)
    .first()
    .waitFor();
  console.log(`banner after ${Math.round(performance.now() - cutAt)} ms`);
  await expectWaitingForServer(row);
  console.log(`row shows it after ${Math.round(performance.now() - cutAt)} ms`);
  await screenshot(page, 'upload-black-hole');
  await until(() => performance.now() - cutAt > blackHoleS * 1000, {
    what: 'the black hole to last long enough',
  });
  proxy.setMode('pass');
  const backAt = performance.now();
  const actualShare = (await durableBytes(id)) / sizeBytes;
  await until(async () => ((await readRow(row)).value ?? 0) >= actualShare, {
    what: 'the bar to reach the server’s value',
  });
  await until(async () => (await durableBytes(id)) / sizeBytes > actualShare, {
    what: 'the server to receive more bytes',
  });
  console.log(`resumed ${Math.round(performance.now() - backAt)} ms after`);
  proxy.setUploadBandwidth(null);
  await fixture.expectComplete('hole.raw', id);
  await until(async () => (await readRow(row)).look === 'succeeded', { what: 'the row to show success' });
  await expectNothingFailed();
});

it('another browser resumes an upload at the server’s offset after the first browser is killed', async () => {
  const { server, proxy } = fixture;
  const path = fixture.makeFile('orphan.raw');
  killable = await launchKillableBrowser();
  const first = await openConsole(killable.browser, fixture, { port: proxy.port });
  await uploadByDialog(first.page, path);
  const id = await untilReceived(server, 'orphan.raw', 0.4);
  await killable.kill();

  const { page } = consoleTab;
  await goToOperations(page);
  const row = rowOf(page, 'orphan.raw');
  await row.getByText(/^Choose orphan\.raw \(\d+\.0 MiB\) again to resume at \d/).waitFor();
  const offsetBytes = await durableBytes(id);
  expect(offsetBytes).toBeGreaterThanOrEqual(0.4 * sizeBytes);
  const before = proxy.fromClients;
  proxy.setUploadBandwidth(null);
  await chooseFileAgain(page, row, path);
  await fixture.expectComplete('orphan.raw', id);
  const sent = proxy.fromClients - before;
  console.log(`sent ${(sent / MiB).toFixed(1)} MiB of ${((sizeBytes - offsetBytes) / MiB).toFixed(1)} MiB`);
  expect(sent).toBeLessThanOrEqual(sizeBytes - offsetBytes + slowChunkBytes);
  await until(async () => (await readRow(row)).look === 'succeeded', { what: 'the row to show success' });
  await expectNothingFailed();
});
