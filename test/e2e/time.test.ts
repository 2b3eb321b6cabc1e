import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { skewClock } from '../kit/browser/skewed-clock.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { shareOf } from '../kit/share.ts';
import {
  findUnformattedValues,
  observeAllChanges,
  readObservation,
  readRow,
  rowOf,
} from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Tests pages with a wrong clock. They run at the same time, because their copies take a while. */
const sizeBytes = 512 * MiB;
let server: TestServer;
let browser: Browser;
let user: TestUser;
let image: Image;

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  await makeRandomImage(join(server.poolDir, 'source.raw'), sizeBytes);
  image = await registerImage(server, 'source.raw');
  user = await createUser(server, 'chief', 'admin');
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const skews = [
  { skew: '3 hours behind', name: 'behind.raw', skewMs: -3 * 3_600_000 },
  { skew: '37 minutes ahead', name: 'ahead.raw', skewMs: 37 * 60_000 },
];
it.concurrent.each(shareOf(skews, 1))(
  'a browser clock $skew does not change the times shown for a copy',
  async ({ name, skewMs }) => {
    const consoleTab = await openConsole(browser, { server, user });
    const { page } = consoleTab;
    await skewClock(page, skewMs);
    await observeAllChanges(page);
    await page.goto(`${consoleTab.url}/operations`);
    expect(Math.abs((await page.evaluate(() => Date.now())) - Date.now())).toBeGreaterThan(30 * 60_000);
    // The copy takes about 16 s, so no correct text counts in tens of minutes, even on a busy computer.
    await server.api.copyImage(image.id, { name, method: 'copy', bytesPerSecond: 32 * MiB });
    const row = rowOf(page, name);
    await until(async () => /left/.test((await readRow(row)).text), { what: 'an estimate to be shown' });
    await until(async () => (await readRow(row)).look === 'succeeded', {
      what: 'the row to show success',
      timeoutMs: 240_000,
    });
    const rowTexts = (await readObservation(page)).texts.filter((text) =>
      /left|started|ago|Done in/.test(text),
    );
    expect(rowTexts.length).toBeGreaterThan(3);
    expect(rowTexts.filter((text) => /\d{2,} min|\d (h\b|hour)|more than a day|-\d/.test(text))).toEqual([]);
    const { texts } = await readObservation(page);
    expect(texts.filter((text) => /connection lost|session has ended/i.test(text))).toEqual([]);
    expect(findUnformattedValues(texts)).toEqual([]);
    expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
    await consoleTab.context.close();
  },
);
