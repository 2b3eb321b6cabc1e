import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { MiB } from '../kit/images.ts';
import { findImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { readRow, rowOf } from '../kit/browser/operation-rows.ts';
import { createUser } from '../kit/session.ts';
import { createUploadFixture, slowBytesPerSecond } from '../kit/upload-fixture.ts';
import type { UploadFixture } from '../kit/upload-fixture.ts';
import { findUpload, goToOperations, untilReceived } from '../kit/browser/upload.ts';

/** Several files in one upload dialog, and a second user who may not see them. */
let fixture: UploadFixture;
let invalidFiles: Workspace;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  fixture = await createUploadFixture({ sizeBytes: 16 * MiB });
  invalidFiles = makeWorkspace('invalid-files');
});
afterEach(async () => {
  fixture.proxy.setUploadBandwidth(null);
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  invalidFiles.remove();
  await fixture.close();
});

it('files of one dialog are checked before the start, then paused, cancelled and finished independently', async () => {
  const { server, proxy } = fixture;
  const owner = await openConsole(
    fixture.browser,
    { server, user: await createUser(server, 'owner', 'operator') },
    { port: proxy.port },
  );
  const other = await openConsole(
    fixture.browser,
    { server, user: await createUser(server, 'other', 'operator') },
    { port: proxy.port },
  );
  contexts.push(owner.context, other.context);
  const frames: string[] = [];
  const cdp = await other.context.newCDPSession(other.page);
  cdp.on('Network.webSocketFrameReceived', ({ response }) => void frames.push(response.payloadData));
  await cdp.send('Network.enable');
  await other.page.goto(`${other.url}/operations`);
  await until(() => frames.some((frame) => frame.includes('"t":"ok"')), {
    what: 'the other page to subscribe',
  });

  const { page } = owner;
  const [empty, bad] = [join(invalidFiles.path, 'empty.iso'), join(invalidFiles.path, '.hidden.raw')];
  writeFileSync(empty, '');
  writeFileSync(bad, 'x'.repeat(4096));
  await page.getByRole('button', { name: 'Upload', exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Upload images' });
  const validNames = ['paused.raw', 'cancelled.raw', 'finished.raw'];
  await dialog
    .locator('#upload-files')
    .setInputFiles([...validNames.map((name) => fixture.makeFile(name)), empty, bad]);
  const file = (name: string): ReturnType<typeof dialog.locator> =>
    dialog.locator('.file').filter({ hasText: name });
  for (const name of validNames) await file(name).getByText('This name is free.').waitFor();
  await file('empty.iso').getByText('The file is empty.').waitFor();
  await file('.hidden.raw').locator('.note.bad').getByText(/\w/).waitFor();
  // Two files must not have the same name.
  await file('finished.raw').getByRole('textbox').first().fill('paused.raw');
  await file('finished.raw').getByText('Another file in this list has the same name.').waitFor();
  await file('finished.raw').getByRole('textbox').first().fill('finished.raw');
  await dialog
    .locator('.facts')
    .getByText(/^48\.0 MiB$/)
    .waitFor();
  // Invalid files prevent the start of all uploads.
  await dialog.getByRole('button', { name: 'Upload 5 files' }).click();
  expect((await server.api.uploads({ owner: 'all' })).items).toEqual([]);
  await screenshot(page, 'upload-five-files');
  for (const name of ['empty.iso', '.hidden.raw'])
    await dialog.getByRole('button', { name: `Remove ${name} from the list` }).click();
  proxy.setUploadBandwidth(slowBytesPerSecond);
  await dialog.getByRole('button', { name: 'Upload 3 files' }).click();
  await dialog.waitFor({ state: 'detached' });
  await goToOperations(page);

  await rowOf(page, 'finished.raw')
    .getByText(/^Waiting · two files are sent at a time/)
    .waitFor();
  const cancelled = await untilReceived(server, 'cancelled.raw', 0.1);
  const paused = await untilReceived(server, 'paused.raw', 0.1);
  await rowOf(page, 'paused.raw').getByRole('button', { name: 'Pause' }).click();
  await waitForState(server, paused, { states: ['paused'] });
  await rowOf(page, 'cancelled.raw').getByRole('button', { name: 'Cancel' }).click();
  await waitForState(server, cancelled, { states: ['cancelled'] });
  await rowOf(page, 'cancelled.raw')
    .getByText(/Cancelled/)
    .waitFor();
  await screenshot(page, 'upload-three-fates');
  proxy.setUploadBandwidth(null);
  // The third upload has a slot now. The paused one needs none and receives no bytes.
  const finished = (await findUpload(server, 'finished.raw'))!.id;
  const { offsetBytes } = await server.api.upload(paused);
  await fixture.expectComplete('finished.raw', finished);
  expect((await server.api.upload(paused)).offsetBytes).toBe(offsetBytes);
  expect((await readRow(rowOf(page, 'paused.raw'))).text).toMatch(/Paused at \d/);
  // The cancelled upload leaves no upload and no image; `expectComplete` checks that it leaves no file.
  expect(await findImage(server, 'cancelled.raw')).toBeUndefined();
  expect((await server.api.uploads({ owner: 'all' })).items.map(({ id }) => id)).toEqual([paused]);
  await rowOf(page, 'paused.raw').getByRole('button', { name: 'Resume' }).click();
  await fixture.expectComplete('paused.raw', paused);

  // The other user may receive messages about images, which all users see, but not about uploads.
  await other.page.goto(`${other.url}/operations`);
  await until(() => frames.filter((frame) => frame.includes('"t":"ok"')).length > 1, {
    what: 'the other page to subscribe again',
  });
  expect(await other.page.locator('wcc-progress').count()).toBe(0);
  const ids = [paused, cancelled, finished];
  expect(frames.filter((frame) => ids.some((id) => frame.includes(id)))).toEqual([]);
  expect(owner.record).toEqual({ cspViolations: [], errors: [] });
  expect(other.record).toEqual({ cspViolations: [], errors: [] });
});
