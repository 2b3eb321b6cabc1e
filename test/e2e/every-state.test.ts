import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { axeTimeoutMs, findAxeViolationsInThemes, localesOr } from '../kit/browser/axe.ts';
import { launchBrowser, recordPageErrors } from '../kit/browser/browser.ts';
import type { PageErrors } from '../kit/browser/browser.ts';
import { until } from '../kit/poll.ts';
import { findUnformattedValues, readRow } from '../kit/browser/operation-rows.ts';
import { startScriptedServer } from '../kit/scripted-server.ts';
import type { ScriptedServer } from '../kit/scripted-server.ts';
import { sampleCopy, exampleStates, operationId, sampleCopyPhases } from '../kit/states.ts';

/** Tests the text, bar, buttons, announcements and accessibility of every operation state. */
let server: ScriptedServer;
let browser: Browser;
const contexts: BrowserContext[] = [];
const names = Object.keys(exampleStates);
const numberOf = (name: string): number => names.indexOf(name) + 1;

beforeAll(async () => {
  browser = await launchBrowser();
});
beforeEach(async () => {
  server = await startScriptedServer();
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  await server.close();
});
afterAll(() => browser.close());

function feedAll(): void {
  for (const name of names) server.feed(sampleCopy(numberOf(name), `${name}.raw`, exampleStates[name]));
  server.feed(sampleCopy(90, 'unknown.raw'));
}

async function openPage(
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ page: Page; record: PageErrors }> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Asia/Tokyo', ...options });
  contexts.push(context);
  const record = await recordPageErrors(context);
  const page = await context.newPage();
  return { page, record };
}

const rowOfNumber = (page: Page, number: number): Locator =>
  page.locator(`main li[data-operation="${operationId(number)}"] wcc-progress`);

/** Opens the operations page with every state and the tray list; the server no longer knows one operation. */
async function openEveryState(page: Page): Promise<void> {
  feedAll();
  await page.goto(`${server.url}/operations`);
  await rowOfNumber(page, 90).waitFor();
  server.removeOperation(operationId(90));
  await page.locator('main .state-gone').waitFor();
  await page.locator('.tray-line').click();
  await page.locator('.tray-rows .state-gone').waitFor();
}

const expectedRows: Readonly<Record<string, { bar: number | null; text: RegExp; buttons: string[] }>> = {
  queued: { bar: null, text: /Waiting · 3rd in line \(2 copies run at a time\)/, buttons: ['Cancel'] },
  running: {
    bar: 0.61,
    text: /2 of 4 · Copying data .*1\.4 of 2\.4 GiB · 400 MiB\/s · about 10 s left/,
    buttons: ['Pause', 'Cancel'],
  },
  indeterminate: { bar: null, text: /Copying data .*1\.0 GiB · 400 MiB\/s/, buttons: ['Pause', 'Cancel'] },
  stalled: { bar: 0.61, text: /No progress for (4|5)\d s/, buttons: ['Details', 'Pause', 'Cancel'] },
  paused: { bar: 0.61, text: /Paused at 61\.0 %/, buttons: ['Resume', 'Cancel'] },
  cancelling: { bar: 0.61, text: /Cancelling… cleaning up/, buttons: [] },
  cancelled: {
    bar: null,
    text: /Cancelled after 1\.5 GiB · no files left behind/,
    buttons: ['Start again'],
  },
  succeeded: {
    bar: null,
    text: /Done in 12 s · 1\.5 GiB written · 37\.6 GiB of empty space skipped/,
    buttons: ['Open'],
  },
  warned: { bar: null, text: /Done, but: a program had the source open/, buttons: ['Details'] },
  failed: {
    bar: 0.61,
    text: /The disk reported an error\. .*Look at the kernel log of the host\. .*io_error/,
    buttons: ['Details', 'Retry'],
  },
  interrupted: {
    bar: 0.61,
    text: /The server restarted at (23:02|11:02 PM) · Resumes automatically/,
    buttons: ['Resume', 'Cancel'],
  },
  silent: {
    bar: 0.3,
    text: /Backup database .*nightly .*No report from the program that runs it · Resumes with its next report/,
    buttons: ['Resume', 'Cancel'],
  },
};

it('every operation state shows its text, bar and buttons', async () => {
  const { page, record } = await openPage();
  await openEveryState(page);
  for (const name of names) {
    const row = rowOfNumber(page, numberOf(name));
    const { value, text } = await readRow(row);
    const expected = expectedRows[name]!;
    expect(text, name).toMatch(expected.text);
    if (expected.bar === null) expect(value, name).toBeNull();
    else expect(value, name).toBeCloseTo(expected.bar, 2);
    expect(await row.getByRole('button').allInnerTexts(), name).toEqual(expected.buttons);
  }
  const unknown = rowOfNumber(page, 90);
  expect((await readRow(unknown)).text).toMatch(
    /The server no longer knows this operation · Last seen at 61\.0 %/,
  );
  expect((await readRow(unknown)).value).toBeNull();
  expect(await unknown.getByRole('button').count()).toBe(1);
  expect(await unknown.getByRole('button', { name: /^Dismiss/ }).count()).toBe(1);
  expect(findUnformattedValues([await page.locator('body').innerText()])).toEqual([]);
  expect(record).toEqual({ cspViolations: [], errors: [] });
});

it('operation rows without a connection keep their value, hide rate and time left, and show no failure', async () => {
  const { page } = await openPage();
  server.feed(sampleCopy(1, 'running.raw'));
  await page.goto(`${server.url}/operations`);
  const row = rowOfNumber(page, 1);
  await row.waitFor();
  server.goOffline();
  await page.getByText(/Connection lost .* ago/).waitFor();
  await until(async () => /last known state/.test((await readRow(row)).text), {
    what: 'the row to say that its state is the last known one',
  });
  const { value, text } = await readRow(row);
  expect(value).toBeCloseTo(0.61, 2);
  expect(text).not.toMatch(/MiB\/s|left|fail/i);
  const cancel = row.getByRole('button', { name: 'Cancel' });
  expect(await cancel.getAttribute('aria-disabled')).toBe('true');
  expect(await cancel.getAttribute('title')).toBe('No connection to the server');
  server.goOnline();
  await until(async () => /MiB\/s/.test((await readRow(row)).text), { what: 'the rate to be back' });
});

it.each(localesOr('ja'))(
  'operation rows and pages pass axe in every state: %s',
  { timeout: axeTimeoutMs },
  async (locale) => {
    const { page, record } = await openPage({ locale: locale === 'ja' ? 'ja-JP' : 'en-GB' });
    await openEveryState(page);
    const problems: Record<string, string[]> = {};
    const check = async (name: string): Promise<void> => {
      problems[name] = await findAxeViolationsInThemes(page, {
        locale,
        name: `every-state-${name.replace(' ', '-')}`,
      });
    };
    await check('list');
    for (const state of ['running', 'warned', 'failed', 'silent']) {
      await page.goto(`${server.url}/operations/${operationId(numberOf(state))}`);
      await page.locator('.operation-grid').waitFor();
      await page.locator('details.raw summary').click();
      await check(state);
    }
    await page.goto(`${server.url}/operations/${operationId(99)}`);
    await page.locator('.empty h2').waitFor();
    await check('not found');
    expect(problems).toEqual(Object.fromEntries(Object.keys(problems).map((each) => [each, []])));
    expect(record).toEqual({ cspViolations: [], errors: [] });
  },
);

/** Starts to record the texts of the live regions. @returns reads the texts recorded so far */
async function recordAnnouncements(page: Page): Promise<() => Promise<{ role: string; text: string }[]>> {
  await page.evaluate(() => {
    const announced: unknown[] = [];
    const root = document.querySelector('wcc-console')?.shadowRoot;
    for (const role of ['status', 'alert']) {
      const region = root?.querySelector(`[role=${role}]`);
      if (!region) throw new Error(`There is no live region for ${role}.`);
      new MutationObserver(() => announced.push({ role, text: region.textContent.trim() })).observe(region, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    }
    (globalThis as unknown as { wccAnnounced: unknown }).wccAnnounced = announced;
  });
  return () => page.evaluate(() => (globalThis as unknown as { wccAnnounced: [] }).wccAnnounced);
}

const expectedAnnouncements = {
  'en-GB': {
    what: 'copy of debian-13.raw to web.raw',
    verbs: [
      'Started',
      '25 %',
      'No progress',
      'Paused',
      'Resumed',
      'Interrupted, resumes automatically',
      'Resumed',
      'Cancelling',
    ],
    failed: /^Failed: copy of debian-13\.raw to web\.raw\. The disk reported an error\./,
  },
  'ja-JP': {
    what: 'debian-13.raw から web.raw へのコピー',
    verbs: [
      '開始',
      '25 %',
      '進んでいません',
      '一時停止',
      '再開',
      '中断、自動で再開します',
      '再開',
      'キャンセル中',
    ],
    failed: /^失敗: debian-13\.raw から web\.raw へのコピー。/,
  },
} as const;

it.each(['en-GB', 'ja-JP'] as const)(
  'state changes of own operations are announced, progress and other users’ operations are not: %s',
  async (locale) => {
    const { page } = await openPage({ locale });
    const { what, verbs, failed } = expectedAnnouncements[locale];
    const long: Partial<Snapshot> = { elapsedMs: 30_000, etaMs: 90_000 };
    const changes: Partial<Snapshot>[] = [
      { ...long, phases: sampleCopyPhases(1, 100) },
      { ...long, phases: sampleCopyPhases(26, 100) },
      { ...long, phases: sampleCopyPhases(26, 100), stalled: true },
      { ...long, state: 'paused' },
      { ...long, phases: sampleCopyPhases(30, 100) },
      { ...long, ...exampleStates['interrupted'] },
      { ...long, phases: sampleCopyPhases(30, 100) },
      { ...long, state: 'cancelling' },
    ];
    server.feed(sampleCopy(1, 'web.raw', { ...long, ...exampleStates['queued'] }));
    server.feed(sampleCopy(2, 'theirs.raw', { owner: 'user-2' }));
    await page.goto(`${server.url}/operations`);
    await rowOfNumber(page, 2).waitFor();
    const announced = await recordAnnouncements(page);
    for (const [index, change] of changes.entries()) {
      server.feed(sampleCopy(1, 'web.raw', change));
      await until(async () => (await announced()).length > index, {
        what: `announcement ${index}: ${verbs[index]}`,
      });
    }
    // Plain progress and failures of other users' operations are not announced.
    server.feed(
      sampleCopy(1, 'web.raw', { ...long, state: 'cancelling', phases: sampleCopyPhases(31, 100) }),
    );
    server.feed(sampleCopy(2, 'theirs.raw', { owner: 'user-2', ...exampleStates['failed'] }));
    server.feed(sampleCopy(1, 'web.raw', exampleStates['failed']));
    const all = await until(
      async () => {
        const texts = await announced();
        return texts.length > changes.length ? texts : null;
      },
      { what: 'the failure to be announced' },
    );
    expect(all.slice(0, -1)).toEqual(verbs.map((verb) => ({ role: 'status', text: `${verb}: ${what}` })));
    expect(all.at(-1)?.role).toBe('alert');
    expect(all.at(-1)?.text).toMatch(failed);
  },
);

it('twelve state changes at once are announced as a summary', async () => {
  const { page } = await openPage();
  const many = Array.from({ length: 12 }, (_, index) => index + 1);
  for (const number of many) server.feed(sampleCopy(number, `many-${number}.raw`, exampleStates['queued']));
  await page.goto(`${server.url}/operations`);
  await rowOfNumber(page, 12).waitFor();
  const announced = await recordAnnouncements(page);
  for (const number of many) server.feed(sampleCopy(number, `many-${number}.raw`));
  await until(async () => (await announced()).some(({ text }) => /^\d+ operations changed\.$/.test(text)), {
    what: 'a summary',
  });
  expect((await announced()).length).toBeLessThan(many.length);
});
