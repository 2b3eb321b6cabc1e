import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { screenshot } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { MiB } from '../kit/images.ts';
import { loopMountSkipReason, withLoopFileSystem } from '../kit/loop-mount.ts';
import { waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import {
  findUnformattedValues,
  observeAllChanges,
  readObservation,
  readRow,
  rowOf,
} from '../kit/browser/operation-rows.ts';
import { createUploadFixture, slowBytesPerSecond } from '../kit/upload-fixture.ts';
import { goToOperations, untilReceived, uploadByDialog } from '../kit/browser/upload.ts';

/** Another program fills the disk during an upload. */
const skipReason = loopMountSkipReason();
if (skipReason !== null) console.log(`Skipped, an upload into a full disk: ${skipReason}.`);

/** Writes to `path` until at most `leaveBytes` are free. */
function fillDisk(path: string, leaveBytes: number): void {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(MiB, 1);
  for (;;) {
    const { bavail, bsize } = statfsSync(path);
    if (bavail * bsize <= leaveBytes) break;
    writeSync(file, block);
  }
  closeSync(file);
}

it.skipIf(skipReason !== null)(
  'an upload pauses with a hint when the disk is full, and resumes from the page when space is free',
  async () => {
    expect.hasAssertions();
    await withLoopFileSystem('ext4', 192 * MiB, async (mountPoint) => {
      const fixture = await createUploadFixture({
        sizeBytes: 32 * MiB,
        server: { poolDir: join(mountPoint, 'pool'), args: ['--free-space-floor', '0'] },
      });
      try {
        const { server, proxy } = fixture;
        const { page, url, record } = await openConsole(fixture.browser, fixture, { port: proxy.port });
        await observeAllChanges(page);
        await page.goto(`${url}/images`);
        proxy.setUploadBandwidth(slowBytesPerSecond);
        await uploadByDialog(page, fixture.makeFile('full.raw'));
        await goToOperations(page);
        const id = await untilReceived(server, 'full.raw', 0.2);
        const junk = join(mountPoint, 'junk');
        fillDisk(junk, MiB);
        await waitForState(server, id, { states: ['paused'] });
        const row = rowOf(page, 'full.raw');
        await row.getByText(/the disk is full.*Resumes automatically when there is space/i).waitFor();
        await screenshot(page, 'upload-full-disk');
        expect((await readRow(row)).look).toBe('paused');
        // Resume only tries again if the disk is still full.
        await row.getByRole('button', { name: 'Resume' }).click();
        await row.getByText(/the disk is full/i).waitFor();
        rmSync(junk);
        proxy.setUploadBandwidth(null);
        await row
          .getByRole('button', { name: 'Resume' })
          .click({ timeout: 5000 })
          // The server may resume first because it checks the free space, too.
          .catch(async () => expect((await server.api.operation(id)).state).not.toBe('paused'));
        await fixture.expectComplete('full.raw', id);
        await until(async () => (await readRow(row)).look === 'succeeded', {
          what: 'the row to show success',
        });
        const { texts } = await readObservation(page);
        expect(texts.filter((text) => /\bfailed\b/i.test(text))).toEqual([]);
        expect(findUnformattedValues(texts)).toEqual([]);
        expect(record).toEqual({ cspViolations: [], errors: [] });
      } finally {
        await fixture.close();
      }
    });
  },
);
