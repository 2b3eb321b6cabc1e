import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { screenshot } from '../kit/browser.ts';
import { openConsole } from '../kit/console.ts';
import type { ConsoleTab } from '../kit/console.ts';
import { createHttpProxy } from '../kit/http-proxy.ts';
import type { HttpProxy } from '../kit/http-proxy.ts';
import { MiB } from '../kit/images.ts';
import { until } from '../kit/poll.ts';
import { observeAllChanges, readObservation, readRow, rowOf } from '../kit/operation-rows.ts';
import { createUploadFixture } from '../kit/upload-fixture.ts';
import type { UploadFixture } from '../kit/upload-fixture.ts';
import { findUpload, goToOperations, uploadByDialog } from '../kit/browser-upload.ts';

/** Check 20: what a proxy answers in the place of the server is told as the proxy's, with what to do. */
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
  { status: 413, message: /proxy.*refuses.*\(413\).*client_max_body_size 0/i },
  { status: 502, message: /proxy answers 502: it does not reach the server/i },
  { status: 504, message: /proxy.*\(504\).*proxy_read_timeout/i },
];

it('20: a proxy that answers 413, 502 and 504 is named, and the upload goes on when it has done with that', async () => {
  consoleTab = await openConsole(fixture.browser, fixture, { port: fixture.proxy.port });
  const { page, record } = consoleTab;
  await observeAllChanges(page);
  await page.goto(`${consoleTab.url}/images`);
  // The first piece of 8 MiB goes through, as when the proxy is set up anew meanwhile.
  httpProxy.refuse({ status: 413, method: 'PATCH', path: '/api/uploads/', after: 1 });
  await uploadByDialog(page, fixture.makeFile('refused.raw'));
  await goToOperations(page);
  const row = rowOf(page, 'refused.raw');
  for (const { status, message } of refusals) {
    if (status !== 413) httpProxy.refuse({ status, method: 'PATCH', path: '/api/uploads/', after: 0 });
    await row.getByText(message).waitFor();
    await screenshot(page, `upload-proxy-${status}`);
    expect((await readRow(row)).look).toBe('stalled');
  }
  // It went on trying, and did not begin again.
  const id = (await findUpload(fixture.server, 'refused.raw'))!.id;
  expect((await fixture.server.api.upload(id)).offsetBytes).toBe(8 * MiB);
  httpProxy.refuse(null);
  await fixture.expectComplete('refused.raw', id);
  await until(async () => (await readRow(row)).look === 'succeeded', { what: 'the row to say so' });
  const { texts } = await readObservation(page);
  expect(texts.filter((each) => /\bfailed\b/i.test(each))).toEqual([]);
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('20: a proxy that refuses the creation: the dialog says whose refusal it is, and nothing is lost', async () => {
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
