import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMeter } from '@wcc/progress';
import { launchBrowser } from '../kit/browser/browser.ts';
import { until } from '../kit/poll.ts';
import { findUnformattedValues, readRow } from '../kit/browser/operation-rows.ts';
import { startScriptedServer } from '../kit/scripted-server.ts';
import type { ScriptedServer } from '../kit/scripted-server.ts';
import { sampleCopy, sampleCopyPhases } from '../kit/states.ts';

/**
 * The time left that a row shows for scripted samples. The test uses the server's meter with a simulated clock, so
 * minutes pass at once and the computer's speed does not matter.
 */
const mib = 2 ** 20;
const totalBytes = 6000 * mib;
let server: ScriptedServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
});
beforeEach(async () => {
  server = await startScriptedServer();
  const context = await browser.newContext({ locale: 'en-GB' });
  page = await context.newPage();
});
afterEach(async () => {
  await page.context().close();
  await server.close();
});
afterAll(() => browser.close());

interface RowReading {
  atS: number;
  share: number;
  /** Seconds until the scripted copy ends. */
  actualS: number;
  text: string;
  /** The time left that the row shows, in seconds; `null` if it shows none. */
  shownS: number | null;
}

function parseLeft(text: string): number | null {
  if (/a few seconds left/.test(text)) return 2.5;
  const seconds = /about (\d+) s left/.exec(text)?.[1];
  if (seconds !== undefined) return Number(seconds);
  const minutes = /about ([\d.]+) min left/.exec(text)?.[1];
  return minutes === undefined ? null : Number(minutes) * 60;
}

/** Half of the step to which the row rounds the time left. */
const roundingS = (actualS: number): number => (actualS < 60 ? 2.5 : 15);

/** Plays a copy that has `doneAt(second)` bytes done, and reads its row every `everyS` seconds of the script. */
async function playCopy(script: {
  doneAt: (atS: number) => number;
  endS: number;
  everyS: number;
  total?: number | null;
  startsAtS?: number;
}): Promise<RowReading[]> {
  const { doneAt, endS, everyS, total = totalBytes, startsAtS = 0 } = script;
  const meter = createMeter();
  meter.reset(startsAtS * 1000, doneAt(startsAtS));
  const readings: RowReading[] = [];
  let readAt = startsAtS;
  for (let atMs = startsAtS * 1000; atMs < endS * 1000; atMs += 100) {
    const done = doneAt(atMs / 1000);
    meter.add({ atMs, done });
    const reading = meter.read(atMs, { total, state: 'running', phaseStartedAtMs: startsAtS * 1000 });
    if (atMs / 1000 < readAt) continue;
    readAt += everyS;
    // The name identifies the snapshot, so that the row is read only after this snapshot is painted.
    const mark = `at-${atMs}.raw`;
    server.feed(sampleCopy(1, mark, { ...reading, phases: sampleCopyPhases(done, total), elapsedMs: atMs }));
    if (readings.length === 0) await page.goto(`${server.url}/operations`);
    const row = page.locator('main wcc-progress');
    const { text } = await until(
      async () => {
        const state = await row.waitFor().then(() => readRow(row));
        return state.text.includes(mark) ? state : null;
      },
      { what: `the row to show ${mark}` },
    );
    const actualS = endS - atMs / 1000;
    readings.push({
      atS: atMs / 1000,
      share: done / totalBytes,
      actualS,
      text,
      shownS: parseLeft(text),
    });
  }
  expect(findUnformattedValues(readings.map(({ text }) => text))).toEqual([]);
  expect(readings.filter(({ text }) => /\b0 s left|-\d+ (s|min)/.test(text))).toEqual([]);
  return readings;
}

describe('the time left', () => {
  it('a steady copy shows no time left for 5 s, and one within 20 % after 10 % progress', async () => {
    const readings = await playCopy({ doneAt: (atS) => (atS / 120) * totalBytes, endS: 120, everyS: 5 });
    for (const { atS, shownS } of readings.filter(({ atS: at }) => at < 5))
      expect(shownS, `at ${atS} s`).toBeNull();
    const checked = readings.filter(({ share }) => share >= 0.1);
    expect(checked.length).toBeGreaterThan(15);
    for (const { atS, actualS, shownS } of checked) {
      expect(shownS, `at ${atS} s`).not.toBeNull();
      expect(Math.abs((shownS ?? 0) - actualS), `at ${atS} s: ${shownS} for ${actualS}`).toBeLessThanOrEqual(
        0.2 * actualS + roundingS(actualS),
      );
    }
  });

  it('a copy that slows down after a cache burst shows an accurate time left and no early end', async () => {
    const burst = 0.3 * totalBytes;
    const doneAt = (atS: number): number =>
      atS < 6 ? (atS / 6) * burst : burst + ((atS - 6) / 174) * (totalBytes - burst);
    const readings = await playCopy({ doneAt, endS: 180, everyS: 6 });
    const late = readings.filter(({ atS, shownS }) => atS > 90 && shownS !== null);
    expect(late.length).toBeGreaterThan(8);
    for (const { atS, actualS, shownS } of late) {
      expect(Math.abs((shownS ?? 0) - actualS), `at ${atS} s: ${shownS} for ${actualS}`).toBeLessThanOrEqual(
        0.35 * actualS + roundingS(actualS),
      );
    }
    for (const { atS, shownS, actualS } of readings)
      if (actualS > 60 && shownS !== null) expect(shownS, `at ${atS} s`).toBeGreaterThan(5);
  });

  it('a stalled copy shows no time left, and an accurate one soon after the stall', async () => {
    const doneAt = (atS: number): number => ((atS < 40 ? atS : atS < 80 ? 40 : atS - 40) / 120) * totalBytes;
    const readings = await playCopy({ doneAt, endS: 160, everyS: 5 });
    for (const { atS, shownS } of readings.filter(({ atS: at }) => at > 55 && at < 80))
      expect(shownS, `at ${atS} s`).toBeNull();
    const after = readings.filter(({ atS }) => atS >= 95);
    for (const { atS, actualS, shownS } of after)
      expect(Math.abs((shownS ?? 0) - actualS), `at ${atS} s: ${shownS} for ${actualS}`).toBeLessThanOrEqual(
        0.3 * actualS + roundingS(actualS),
      );
    expect(after.length).toBeGreaterThan(8);
  });

  it('a copy resumed at 60 % computes its time left from the bytes since the resume', async () => {
    const doneAt = (atS: number): number => (0.6 + (0.4 * (atS - 100)) / 100) * totalBytes;
    const readings = await playCopy({ doneAt, endS: 200, everyS: 5, startsAtS: 100 });
    const checked = readings.filter(({ atS }) => atS >= 115);
    for (const { atS, actualS, shownS } of checked)
      expect(Math.abs((shownS ?? 0) - actualS), `at ${atS} s: ${shownS} for ${actualS}`).toBeLessThanOrEqual(
        0.2 * actualS + roundingS(actualS),
      );
    expect(checked.length).toBeGreaterThan(10);
  });

  it('a copy of unknown total shows neither a time left nor a percentage', async () => {
    const readings = await playCopy({ doneAt: (atS) => atS * 50 * mib, endS: 60, everyS: 10, total: null });
    for (const { atS, shownS, text } of readings) {
      expect(shownS, `at ${atS} s`).toBeNull();
      expect(text, `at ${atS} s`).not.toContain('%');
    }
  });
});
