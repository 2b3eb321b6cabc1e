import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { WccProgressElement } from '@wcc/progress/element';
import { launchBrowser, recordPageErrors, screenshot } from '../kit/browser/browser.ts';
import { installLibraries } from '../kit/packed-install.ts';
import type { PackedInstall } from '../kit/packed-install.ts';
import { until } from '../kit/poll.ts';
import { findUnformattedValues, observeAllChanges, readObservation } from '../kit/browser/operation-rows.ts';

/** The packed library, installed outside the repository and used by the three example servers and their pages. */
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

/** HTTP status of the answer to a WebSocket handshake; 101 if it succeeds. */
async function handshakeStatus(
  url: string,
  headers: Record<string, string>,
  protocols: readonly string[],
): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/progress`, [...protocols], { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => (socket.terminate(), resolve(101)));
    socket.on(
      'unexpected-response',
      (request, { statusCode = 0 }) => (request.destroy(), resolve(statusCode)),
    );
    socket.on('error', reject);
  });
}

it.each(['plain-node', 'fastify', 'express'])(
  'the %s example shows a visitor the bar of their own job only',
  async (example) => {
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
      // A second visitor had the page open from the start and sees no bar.
      expect(await stranger.locator('wcc-progress').count()).toBe(0);
      expect(record).toEqual({ cspViolations: [], errors: [] });

      // A reload shows the bar again.
      await page.reload();
      await bar.getByText(/Done in/).waitFor();

      const cookieOf = async (of: typeof context): Promise<string> =>
        (await of.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
      const headers = { origin: server.url, cookie: await cookieOf(context) };
      const response = await fetch(`${server.url}/progress/ticket`, { method: 'POST', headers });
      const { ticket } = (await response.json()) as { ticket: string };
      const withTicket = ['wcc.v1', `wcc.ticket.${ticket}`];
      expect(await handshakeStatus(server.url, headers, ['wcc.v1'])).toBe(401);
      expect(
        await handshakeStatus(server.url, { ...headers, origin: 'http://evil.example' }, withTicket),
      ).toBe(403);
      expect(
        await handshakeStatus(server.url, { ...headers, cookie: await cookieOf(other) }, withTicket),
      ).toBe(401);
      // The refused handshake used up the ticket.
      expect(await handshakeStatus(server.url, headers, withTicket)).toBe(401);
    } finally {
      await context.close();
      await other.close();
      await server.close();
    }
  },
);

it('the Cancel button of an example ends its job', async () => {
  const server = await install.start('plain-node');
  const context = await browser.newContext({ locale: 'en-GB' });
  try {
    const page = await context.newPage();
    await page.goto(server.url);
    await page.getByRole('button', { name: 'Count the sheep' }).click();
    const bar = page.locator('wcc-progress');
    await bar.getByRole('button', { name: /Cancel/ }).click();
    await bar.getByText(/Cancelled/).waitFor();
    expect(await bar.evaluate((each) => (each as WccProgressElement).snapshot?.state)).toBe('cancelled');
  } finally {
    await context.close();
    await server.close();
  }
});

it('a bar whose server is gone shows its last known state and no failure', async () => {
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
