import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, recordPageErrors, screenshot } from '../kit/browser/browser.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { until } from '../kit/poll.ts';
import {
  followQuickStart,
  installNode,
  packLibrary,
  readFromTarball,
  readQuickStart,
} from '../kit/quick-start.ts';
import type { ReadersFolder } from '../kit/quick-start.ts';

/** Follows the quick start of each packed README literally, in an empty folder. */
let folder: string;
let browser: Browser;
const tarballs: Record<string, string> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wcc-packed-'));
  for (const library of ['progress', 'copy'])
    tarballs[`@wcc/${library}`] = await packLibrary(library, folder);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The versions that CI of the libraries promises; without WCC_NODES only the one that runs this test. */
const versions = process.env['WCC_NODES']?.split(',') ?? [];
const nodes = versions.length > 0 ? versions : ['this'];
const binaryOf = async (version: string): Promise<string> =>
  version === 'this' ? process.execPath : installNode(version);

const maxReaderLines = 25;

it.each(nodes)(
  'the quick start of @wcc/progress moves a bar in Chromium (Node %s)',
  { timeout: 300_000 },
  async (version) => {
    const node = await binaryOf(version);
    const startedAtMs = performance.now();
    const quickStart = readQuickStart(await readFromTarball(tarballs['@wcc/progress']!, 'README.md'));
    const lines = quickStart.source.split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThanOrEqual(maxReaderLines);
    // Port 8080 may be in use.
    const port = await findFreePort();
    const source = quickStart.source.replaceAll('8080', String(port));
    const reader = await followQuickStart({ ...quickStart, source }, tarballs);
    try {
      const installedMs = performance.now() - startedAtMs;
      reader.start(node);
      const values = await watchBar(reader);
      const seconds = (ms: number): string => (ms / 1000).toFixed(1);
      const totalMs = performance.now() - startedAtMs;
      console.log(`Node ${version}: installed in ${seconds(installedMs)} s, moved in ${seconds(totalMs)} s`);
      expect(values.length).toBeGreaterThan(3);
      expect(values).toEqual(values.toSorted((one, other) => one - other));
    } finally {
      await reader.remove();
    }
  },
);

/** Opens the address that the program prints, until the bar has moved four times. @returns the values of the bar */
async function watchBar(reader: ReadersFolder): Promise<number[]> {
  const addressOf = (): string | undefined => /http:\/\/\S+/.exec(reader.output())?.[0];
  await until(() => addressOf() !== undefined, { what: () => `the address; printed: ${reader.output()}` });
  const context = await browser.newContext({ locale: 'en-GB' });
  try {
    const record = await recordPageErrors(context);
    const page = await context.newPage();
    await page.goto(addressOf()!);
    const bar = page.locator('wcc-progress').getByRole('progressbar');
    await bar.waitFor();
    const values: number[] = [];
    await until(
      async () => {
        const value = Number(await bar.getAttribute('value'));
        if (value > (values.at(-1) ?? 0)) values.push(value);
        return values.length > 3;
      },
      { what: () => `four different values; seen: ${values.join(' ')}` },
    );
    await screenshot(page, 'quick-start');
    expect(record.errors).toEqual([]);
    return values;
  } finally {
    await context.close();
  }
}

it.each(nodes)(
  'the quick start of @wcc/copy copies a file and shows its progress (Node %s)',
  async (version) => {
    const quickStart = readQuickStart(await readFromTarball(tarballs['@wcc/copy']!, 'README.md'));
    const lines = quickStart.source.split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThanOrEqual(maxReaderLines);
    const reader = await followQuickStart(quickStart, tarballs);
    try {
      const child = reader.start(await binaryOf(version));
      await until(() => child.exitCode !== null, { what: () => `the end; printed: ${reader.output()}` });
      expect(child.exitCode, reader.output()).toBe(0);
      expect(reader.output()).toMatch(/copy\.raw: Done in .*\n(kernel-copy|read-write) \d+ ms/);
    } finally {
      await reader.remove();
    }
  },
);
