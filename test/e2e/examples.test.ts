import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { launchBrowser, recordPageErrors, screenshot } from '../kit/browser.ts';
import { installLibraries } from '../kit/packed-install.ts';
import type { PackedInstall } from '../kit/packed-install.ts';
import { until } from '../kit/poll.ts';
import { findUnformattedValues, observeAllChanges, readObservation } from '../kit/operation-rows.ts';

/** The library packed, installed outside the repository, and used by three servers with a page of their own. */
let install: PackedInstall;
let browser: Browser;

beforeAll(async () => {
  install = await installLibraries();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  install.remove();
});

/** The status that answers a handshake, or 101. */
async function handshakeStatus(
  url: string,
  headers: Record<string, string>,
  protocols: readonly string[],
): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/ws`, [...protocols], { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => (socket.terminate(), resolve(101)));
    socket.on(
      'unexpected-response',
      (request, { statusCode = 0 }) => (request.destroy(), resolve(statusCode)),
    );
    socket.on('error', reject);
  });
}

it.each(['plain-node', 'fastify', 'express'])('%s shows the bar of its own job', async (example) => {
  const server = await install.start(example);
  const context = await browser.newContext({ locale: 'en-GB' });
  const other = await browser.newContext({ locale: 'en-GB' });
  try {
    const record = await recordPageErrors(context);
    const page = await context.newPage();
    await observeAllChanges(page);
    await page.goto(server.url);
    const stranger = await other.newPage();
    await stranger.goto(server.url);
    await page.getByRole('button', { name: 'Count the sheep' }).click();
    const bar = page.locator('wcc-progress');
    await bar.getByText('merino').waitFor();
    await screenshot(page, `example-${example}`);
    await bar.getByText(/Done in/).waitFor();
    const { bars, texts } = await readObservation(page);
    const values = bars.flatMap(({ value }) => (value === null ? [] : [value]));
    expect(values.length).toBeGreaterThan(5);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(findUnformattedValues(texts)).toEqual([]);
    // A second visitor, with the page open all the while, has seen nothing of it.
    expect(await stranger.locator('wcc-progress').count()).toBe(0);
    expect(record).toEqual({ cspViolations: [], errors: [] });

    // After a reload it is there again.
    await page.reload();
    await bar.getByText(/Done in/).waitFor();

    const cookieOf = async (of: typeof context): Promise<string> =>
      (await of.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const headers = { origin: server.url, cookie: await cookieOf(context) };
    const response = await fetch(`${server.url}/tickets`, { method: 'POST', headers });
    const { ticket } = (await response.json()) as { ticket: string };
    const withTicket = ['wcc.v1', `wcc.ticket.${ticket}`];
    expect(await handshakeStatus(server.url, headers, ['wcc.v1'])).toBe(401);
    expect(await handshakeStatus(server.url, { ...headers, origin: 'http://evil.example' }, withTicket)).toBe(
      403,
    );
    expect(await handshakeStatus(server.url, { ...headers, cookie: await cookieOf(other) }, withTicket)).toBe(
      401,
    );
    // The theft has cost the ticket.
    expect(await handshakeStatus(server.url, headers, withTicket)).toBe(401);
  } finally {
    await context.close();
    await other.close();
    await server.close();
  }
});

it('a bar says that its server is gone, and never that the work failed', async () => {
  const first = await install.start('plain-node');
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(first.url);
  await page.getByRole('button', { name: 'Count the sheep' }).click();
  const bar = page.locator('wcc-progress');
  await bar.getByText('merino').waitFor();
  await first.close();
  await until(
    async () => /last known state/i.test((await bar.evaluate((each) => each.shadowRoot?.textContent)) ?? ''),
    { what: 'the bar to say that it is not connected' },
  );
  expect(await bar.evaluate((each) => each.shadowRoot?.textContent)).not.toMatch(/fail/i);
  await context.close();
});
