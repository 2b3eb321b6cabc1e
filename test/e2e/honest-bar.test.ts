import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CopyImageRequest } from '@wcc/api';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { GiB, makeRandomImage, makeSparseImage, MiB } from '../kit/images.ts';
import { loopMountSkipReason, withLoopFileSystem } from '../kit/loop-mount.ts';
import { registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import {
  findUnformattedValues,
  observeAllChanges,
  readObservation,
  readRow,
  rowOf,
} from '../kit/browser/operation-rows.ts';
import type { BarSample, Observation, RowState } from '../kit/browser/operation-rows.ts';
import { startServer } from '../kit/server.ts';
import type { ServerOptions, TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';

/** The bar during a whole copy, with every change of the page recorded. */
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

interface WatchedCopy extends Observation {
  end: RowState;
}

async function withServer<T>(options: ServerOptions, use: (server: TestServer) => Promise<T>): Promise<T> {
  const server = await startServer(options);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

/** Records the operations page from before the start of a copy until after its end. */
async function watchCopy(
  server: TestServer,
  source: string,
  request: CopyImageRequest,
): Promise<WatchedCopy> {
  const image = await registerImage(server, source);
  const user = await createUser(server, 'chief', 'admin');
  const { context, page, url, record } = await openConsole(browser, { server, user });
  try {
    await observeAllChanges(page);
    await page.goto(`${url}/operations`);
    await server.api.copyImage(image.id, request);
    const row = rowOf(page, request.name);
    await row.waitFor();
    const end = await until(
      async () => {
        const state = await readRow(row);
        return state.look === 'succeeded' ? state : null;
      },
      { what: `the page to show ${request.name} as succeeded`, timeoutMs: 60_000 },
    );
    expect(record).toEqual({ cspViolations: [], errors: [] });
    return { ...(await readObservation(page)), end };
  } finally {
    await context.close();
  }
}

it('the bar of a copy never moves back in a phase, never shows 100 % early, and shows no unformatted value', async () => {
  const { bars, texts, end } = await withServer({}, async (server) => {
    // Large enough that the page paints the check, which reads the copy at the speed of memory.
    await makeRandomImage(join(server.poolDir, 'source.raw'), 768 * MiB);
    return watchCopy(server, 'source.raw', {
      name: 'watched.raw',
      method: 'copy',
      bytesPerSecond: 192 * MiB,
      verify: true,
    });
  });
  const running = bars.filter(({ state }) => state === 'running' || state === 'stalled');
  const steps = new Map<string, BarSample[]>();
  for (const sample of running) {
    const phase = sample.phase.split(' · ')[1] ?? sample.phase;
    steps.set(phase, [...(steps.get(phase) ?? []), sample]);
  }
  expect([...steps.keys()]).toEqual(expect.arrayContaining(['Copying data', 'Checking the copy']));
  for (const [phase, samples] of steps) {
    const values = samples.flatMap(({ value }) => (value === null ? [] : [value]));
    expect(values, `bar while ${phase}`).toEqual(values.toSorted((a, b) => a - b));
  }
  expect(steps.get('Copying data')?.length).toBeGreaterThan(10);
  expect(running.filter(({ value, percent }) => (value ?? 0) >= 1 || percent.startsWith('100'))).toEqual([]);
  expect(findUnformattedValues(texts)).toEqual([]);
  expect(texts.filter((text) => /-\d+ s\b|\b0 s left/.test(text))).toEqual([]);
  expect(end.text).toMatch(/Done in \d+ s · 768 MiB written/);
});

it('a finished copy reports holes as skipped and does not count them as written', async () => {
  const { bars, end } = await withServer({}, async (server) => {
    await makeSparseImage(join(server.poolDir, 'sparse.raw'), { virtualBytes: 4 * GiB, dataBytes: 32 * MiB });
    return watchCopy(server, 'sparse.raw', { name: 'holes.raw', method: 'copy', bytesPerSecond: 16 * MiB });
  });
  expect(bars.length).toBeGreaterThan(3);
  // 4 GiB minus 32 MiB is 3.97 GiB, which rounds to 4.0 GiB.
  expect(end.text).toMatch(/32\.0 MiB written · 4\.0 GiB of empty space skipped/);
  expect(end.snapshot.bytes).toMatchObject({ written: 32 * MiB, shared: 0 });
});

const skipReason = loopMountSkipReason();
if (skipReason !== null) console.log(`Skipped, report of shared blocks: ${skipReason}.`);

describe.skipIf(skipReason !== null)('a copy on XFS', () => {
  it('reports an instant copy as shared blocks with 0 B written', async () => {
    const { bars, end } = await withLoopFileSystem('xfs', GiB, async (mountPoint) => {
      const poolDir = join(mountPoint, 'pool');
      mkdirSync(poolDir);
      return withServer({ poolDir, args: ['--free-space-floor', '0'] }, async (server) => {
        await makeRandomImage(join(poolDir, 'source.raw'), 128 * MiB);
        return watchCopy(server, 'source.raw', { name: 'instant.raw' });
      });
    });
    expect(end.text).toMatch(/Instant copy in .* · 0 B written · shares 128 MiB/);
    expect(bars.filter(({ value }) => value !== null)).toEqual([]);
  });
});
