import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Image, Operation } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { launchBrowser } from '../kit/browser/browser.ts';
import { launchPlainBrowser } from '../kit/browser/cdp.ts';
import type { PlainTab } from '../kit/browser/cdp.ts';
import { openConsole } from '../kit/browser/console.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { currentPhase, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import {
  findUnformattedValues,
  observeAllChanges,
  readObservation,
  readRow,
  rowOf,
} from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { TestUser } from '../kit/session.ts';

/** Tests a page with a wrong clock, and a hidden page. */
const sizeBytes = 512 * MiB;
let server: TestServer;
let browser: Browser;
let user: TestUser;
let image: Image;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  await makeRandomImage(join(server.poolDir, 'source.raw'), sizeBytes);
  image = await registerImage(server, 'source.raw');
  user = await createUser(server, 'chief', 'admin');
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  for (const { id } of (await server.api.operations({ state: 'running,queued,paused' })).items) {
    await server.api.cancel(id);
  }
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function startCopy(name: string, bytesPerSecond: number): Promise<Operation> {
  return (await server.api.copyImage(image.id, { name, method: 'copy', bytesPerSecond })).operation;
}

it.each([
  { skew: '37 minutes ahead', name: 'ahead.raw', skewMs: 37 * 60_000 },
  { skew: '3 hours behind', name: 'behind.raw', skewMs: -3 * 3_600_000 },
])('a browser clock $skew does not change the times shown for a copy', async ({ name, skewMs }) => {
  const consoleTab = await openConsole(browser, { server, user });
  contexts.push(consoleTab.context);
  const { page } = consoleTab;
  await page.addInitScript((byMs) => {
    const Real = Date;
    const skewed = class extends Real {
      constructor(...given: unknown[]) {
        super(...((given.length === 0 ? [Real.now() + byMs] : given) as []));
      }
      static override now(): number {
        return Real.now() + byMs;
      }
    };
    (globalThis as unknown as { Date: unknown }).Date = skewed;
  }, skewMs);
  await observeAllChanges(page);
  await page.goto(`${consoleTab.url}/operations`);
  expect(Math.abs((await page.evaluate(() => Date.now())) - Date.now())).toBeGreaterThan(30 * 60_000);
  // The copy takes about 16 s, so no correct text counts in tens of minutes, even on a busy computer.
  await startCopy(name, 32 * MiB);
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
});

/** Reads the row of the operation that makes `target`, in a page that Playwright does not control. */
function readPlainRow(tab: PlainTab, target: string): Promise<{ snapshot: Snapshot; text: string } | null> {
  return tab.evaluate(`(() => {
    const deep = (root) => [...root.querySelectorAll('*')].flatMap((each) =>
      [each, ...(each.shadowRoot ? deep(each.shadowRoot) : [])]);
    const row = deep(document).find((each) => each.localName === 'wcc-progress'
      && !each.hasAttribute('compact') && each.snapshot?.target?.name === ${JSON.stringify(target)});
    return row ? { snapshot: row.snapshot, text: row.shadowRoot.querySelector('article').innerText } : null;
  })()`);
}

it('a tab hidden for 90 s shows up-to-date bars when it is visible again', { timeout: 500_000 }, async () => {
  const plain = await launchPlainBrowser();
  try {
    const { tab } = plain;
    const session = await signIn(server, user);
    const [name = '', value = ''] = session.cookie.split('=');
    await plain.setCookie({ name, value, url: server.baseUrl });
    await tab.open(`${server.baseUrl}/operations`);
    const slow = await startCopy('slow.raw', MiB);
    const quick = await startCopy('quick.raw', 16 * MiB);
    for (const target of ['slow.raw', 'quick.raw']) {
      await until(async () => (await readPlainRow(tab, target))?.snapshot.state === 'running', {
        what: `the page to show ${target} as running`,
      });
    }
    await tab.hide();
    const hiddenAtMs = performance.now();
    await waitForState(server, quick.id, { states: ['succeeded'], timeoutMs: 240_000 });
    await until(() => performance.now() - hiddenAtMs > 90_000, {
      what: '90 s to pass',
      timeoutMs: 100_000,
    });
    const actualBytes = currentPhase(await server.api.operation(slow.id))?.done ?? 0;
    await tab.show();
    const shownAtMs = performance.now();
    await until(
      async () => {
        const snapshot = (await readPlainRow(tab, 'slow.raw'))?.snapshot;
        return snapshot !== undefined && (currentPhase(snapshot)?.done ?? 0) >= actualBytes;
      },
      { what: 'the bar to be up to date again' },
    );
    console.log(`up to date ${Math.round(performance.now() - shownAtMs)} ms after the tab was visible again`);
    const slowRow = await readPlainRow(tab, 'slow.raw');
    const quickRow = await readPlainRow(tab, 'quick.raw');
    expect(slowRow?.snapshot).toMatchObject({ id: slow.id, state: 'running' });
    expect(quickRow?.snapshot).toMatchObject({ id: quick.id, state: 'succeeded' });
    expect(`${slowRow?.text} ${quickRow?.text}`).not.toMatch(/fail|lost/i);
  } finally {
    await plain.close();
  }
});
