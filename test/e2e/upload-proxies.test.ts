import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import type { ConsoleTab } from '../kit/browser/console.ts';
import { createHttpProxy } from '../kit/network/http-proxy.ts';
import type { HttpProxy } from '../kit/network/http-proxy.ts';
import { MiB } from '../kit/images.ts';
import { until } from '../kit/poll.ts';
import { observeAllChanges, readObservation, readRow, rowOf } from '../kit/browser/operation-rows.ts';
import { createUploadFixture } from '../kit/upload-fixture.ts';
import type { UploadFixture } from '../kit/upload-fixture.ts';
import { findUpload, goToOperations, uploadByDialog } from '../kit/browser/upload.ts';

/** Error answers of a reverse proxy are shown as the proxy's, with a hint. */
const sizeBytes = 24 * MiB;

let fixture: UploadFixture;
let httpProxy: HttpProxy;
let consoleTab: ConsoleTab;

beforeAll(async () => {
  fixture = await createUploadFixture({
    sizeBytes,
    startProxy: async (port) => {
      httpProxy = await createHttpProxy(port);
      return httpProxy.port;
    },
  });
});
afterEach(async () => {
  httpProxy.refuse(null);
  await consoleTab.context.close();
});
afterAll(async () => {
  await fixture.close();
  await httpProxy.close();
});

const refusals = [
  { status: 413, message: /proxy.*rejects.*\(413\).*client_max_body_size 0/i },
  { status: 502, message: /proxy cannot reach the server \(502\)/i },
  { status: 504, message: /proxy.*\(504\).*proxy_read_timeout/i },
];

it('an upload row names the proxy and its status 413, 502 or 504, and the upload resumes afterwards', async () => {
  consoleTab = await openConsole(fixture.browser, fixture, { port: fixture.proxy.port });
  const { page, record } = consoleTab;
  await observeAllChanges(page);
  await page.goto(`${consoleTab.url}/images`);
  // The first chunk of 8 MiB passes, as if the proxy were reconfigured during the upload.
  httpProxy.refuse({ status: 413, method: 'PATCH', path: '/api/uploads/', after: 1 });
  await uploadByDialog(page, fixture.makeFile('refused.raw'));
  await goToOperations(page);
  const row = rowOf(page, 'refused.raw');
  for (const { status, message } of refusals) {
    if (status !== 413) httpProxy.refuse({ status, method: 'PATCH', path: '/api/uploads/', after: 0 });
    // The console retries after up to 15 s, and a slow attempt may end as a stall before the proxy answers.
    await row.getByText(message).waitFor({ timeout: 180_000 });
    await screenshot(page, `upload-proxy-${status}`);
    expect((await readRow(row)).look).toBe('stalled');
  }
  // The upload kept retrying and did not start from zero.
  const id = (await findUpload(fixture.server, 'refused.raw'))!.id;
  expect((await fixture.server.api.upload(id)).offsetBytes).toBe(8 * MiB);
  httpProxy.refuse(null);
  await fixture.expectComplete('refused.raw', id);
  await until(async () => (await readRow(row)).look === 'succeeded', { what: 'the row to show success' });
  const { texts } = await readObservation(page);
  expect(texts.filter((each) => /\bfailed\b/i.test(each))).toEqual([]);
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('the upload dialog names the proxy that refuses a new upload, and a retry succeeds', async () => {
  consoleTab = await openConsole(fixture.browser, fixture, { port: fixture.proxy.port });
  const { page } = consoleTab;
  httpProxy.refuse({ status: 502, method: 'POST', path: '/api/uploads', after: 0 });
  await page.getByRole('button', { name: 'Upload', exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Upload images' });
  await dialog.locator('#upload-files').setInputFiles(fixture.makeFile('again.raw'));
  await dialog.getByText('This name is free.').waitFor();
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await dialog.getByText(/proxy.*answered 502.*/i).waitFor();
  await screenshot(page, 'upload-proxy-creation');
  expect(await findUpload(fixture.server, 'again.raw')).toBeUndefined();
  httpProxy.refuse(null);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  const made = await until(() => findUpload(fixture.server, 'again.raw'), { what: 'the upload' });
  await fixture.expectComplete('again.raw', made.id);
});
