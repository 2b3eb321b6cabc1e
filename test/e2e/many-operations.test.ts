import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../kit/browser/browser.ts';
import { openConsole } from '../kit/browser/console.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser } from '../kit/session.ts';

/** The operations page stays responsive with 200 operations that each report four times a second. */
const operations = 200;
const hz = 4;
const maxTaskMs = 200;
const windowMs = 10_000;
/**
 * Other programs on the computer cause long tasks too, so one window without long tasks is enough. The window must
 * have received half of the reports. If no window has, every window counts.
 */
const maxWindows = 4;

let server: TestServer;
let browser: Browser;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
});
afterAll(async () => {
  agent.destroy();
  await browser.close();
  await server.close();
});

/** Uses `node:http` because `fetch` is slower and the reporter must not limit the measurement. */
async function report(id: string, done: number): Promise<number> {
  const body = JSON.stringify({ done });
  const sent = request(`${server.baseUrl}/api/operations/${id}/progress`, {
    method: 'PATCH',
    agent,
    headers: {
      authorization: `Bearer ${server.token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer.statusCode ?? 0;
}

async function publishAll(): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < operations; n += 1) {
    const { operation } = await server.api.publish({
      action: 'backup_database',
      subject: { kind: 'database', name: `customers-${n}` },
      total: 100_000,
      leaseS: 600,
    });
    ids.push(operation.id);
  }
  return ids;
}

/** Reports progress of every operation `hz` times a second until `stop` is called. */
function moveAll(ids: readonly string[]): { stop: () => Promise<void>; reports: () => number } {
  let isOver = false;
  let reports = 0;
  const move = async (): Promise<void> => {
    for (let round = 1; !isOver; round += 1) {
      const startedAtMs = performance.now();
      const statuses = await Promise.all(ids.map((id, n) => report(id, round * 10 + n)));
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      reports += ids.length;
      const pauseMs = Math.max(0, 1000 / hz - (performance.now() - startedAtMs));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const moving = move();
  return {
    reports: () => reports,
    stop: async () => {
      isOver = true;
      await moving;
    },
  };
}

it(
  `the operations page has no task over ${maxTaskMs} ms with ${operations} operations at ${hz} Hz`,
  { timeout: 400_000 },
  async () => {
    const ids = await publishAll();
    const consoleTab = await openConsole(browser, {
      server,
      user: await createUser(server, 'chief', 'admin'),
    });
    const { page } = consoleTab;
    await page.goto(`${consoleTab.url}/operations`);
    await until(async () => (await page.locator('wcc-progress:not([compact])').count()) >= operations, {
      what: 'all rows to be shown',
      timeoutMs: 120_000,
    });
    const moving = moveAll(ids);
    try {
      await page.evaluate(() => {
        const tasks: number[] = [];
        (globalThis as unknown as { wccTasks: number[] }).wccTasks = tasks;
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) tasks.push(duration);
        }).observe({ type: 'longtask' });
      });
      const measured: { longestMs: number; isFull: boolean }[] = [];
      const isQuick = (window: (typeof measured)[number]): boolean => window.longestMs <= maxTaskMs;
      while (measured.length < maxWindows && !measured.some((window) => window.isFull && isQuick(window))) {
        const before = moving.reports();
        await page.evaluate(() => ((globalThis as unknown as { wccTasks: number[] }).wccTasks.length = 0));
        const startedAtMs = performance.now();
        await until(() => performance.now() - startedAtMs > windowMs, { what: 'the window to pass' });
        const tasks = await page.evaluate(() => (globalThis as unknown as { wccTasks: number[] }).wccTasks);
        const rate = (moving.reports() - before) / ((performance.now() - startedAtMs) / 1000);
        measured.push({ longestMs: Math.max(0, ...tasks), isFull: rate >= (operations * hz) / 2 });
        console.log(`longest task ${measured.at(-1)?.longestMs} ms, ${Math.round(rate)} reports a second`);
      }
      const full = measured.filter(({ isFull }) => isFull);
      expect(full.length > 0 ? full : measured).toSatisfy((judged: typeof measured) => judged.some(isQuick));
      // Shows that the rows really receive progress.
      const valueOfFirst = (): Promise<number> =>
        page
          .locator('wcc-progress:not([compact])')
          .first()
          .evaluate((row) => {
            const { snapshot } = row as unknown as { snapshot: { phases: { done: number }[] } };
            return snapshot.phases[0]!.done;
          });
      const value = await valueOfFirst();
      await until(async () => (await valueOfFirst()) > value, { what: 'the first row to move' });
    } finally {
      await moving.stop();
    }
    expect(consoleTab.record).toEqual({ cspViolations: [], errors: [] });
    await consoleTab.context.close();
  },
);
