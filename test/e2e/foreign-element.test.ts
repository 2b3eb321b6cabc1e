import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, recordPageErrors, screenshot } from '../kit/browser/browser.ts';
import { until } from '../kit/poll.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { readRow } from '../kit/browser/operation-rows.ts';
import { noteSecret } from '../kit/secrets.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, makeToken, signIn } from '../kit/session.ts';

/**
 * A third-party page with a strict CSP and hostile styles shows single operations of wcc. Its own backend obtains
 * the tickets.
 */
const library = fileURLToPath(new URL('../../packages/progress/dist/', import.meta.url));
const name = `<img src=x onerror="document.title='pwned'">`;
const lanAddress = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
let wcc: TestServer;
let browser: Browser;
let page: Server;
let origin: string;
let secret: string;
let operations: string[] = [];

const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<link rel="stylesheet" href="/hostile.css"><script type="module" src="/page.js"></script></head>
<body><h1>Our status</h1><div class="box"></div><wcc-progress></wcc-progress><wcc-progress></wcc-progress></body></html>`;
/** Styles that break embedded elements unless these protect themselves. */
const hostileCss = `* { all: unset !important; color: red !important; font: italic 40px/3 fantasy !important; letter-spacing: 1em !important;
  text-transform: uppercase !important; text-align: right !important; }
head { display: none !important; }
progress, button, article, .row, .bar, .title { display: none !important; opacity: 0.1 !important; }`;
const script = `
import { connect } from '/a/client/index.js';
import '/a/element/define.js';
import '/b/element/define.js'; // a second copy of the library, as two bundles may contain
const ticket = async () => (await (await fetch('/ticket', { method: 'POST' })).json()).ticket;
const { url, operations } = await (await fetch('/config')).json();
const client = connect(url, { ticket });
const bars = document.querySelectorAll('wcc-progress');
operations.forEach((id, index) => client.watch(id, (snapshot) => { bars[index].snapshot = snapshot; }));
`;

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const socket = `ws://127.0.0.1:${wcc.port}`;
  response.setHeader(
    'content-security-policy',
    `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${socket}; base-uri 'none'; require-trusted-types-for 'script'`,
  );
  const send = (type: string, body: string | Buffer): void =>
    void response.setHeader('content-type', type).end(body);
  const { url = '/' } = request;
  if (url === '/') return send('text/html', html);
  if (url === '/hostile.css') return send('text/css', hostileCss);
  if (url === '/page.js') return send('text/javascript', script);
  if (url === '/config')
    return send('application/json', JSON.stringify({ url: `${socket}/api/ws`, operations }));
  if (url === '/ticket') return send('application/json', await requestTicket());
  const file = /^\/[ab]\/((?:[\w-]+\/)*[\w-]+\.js)$/.exec(url)?.[1];
  const body = file === undefined ? null : await readFile(library + file).catch(() => null);
  if (body === null) return void response.writeHead(404).end();
  return send(extname(url) === '.js' ? 'text/javascript' : 'text/plain', body);
}

/** The page's backend keeps its bearer token and gives the page a ticket for these operations only. */
async function requestTicket(): Promise<string> {
  const answer = await fetch(`${wcc.baseUrl}/api/ws-tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ purpose: 'watch', operations, origin }),
  });
  const { ticket } = (await answer.json()) as { ticket: string };
  return JSON.stringify({ ticket: noteSecret(ticket) });
}

beforeAll(async () => {
  const port = await findFreePort();
  origin = `http://127.0.0.1:${port}`;
  wcc = await startServer({ args: ['--foreign-origins', origin] });
  const session = await signIn(wcc, await createUser(wcc, 'shop', 'admin'));
  secret = await makeToken(session, 'read');
  for (const kind of ['first', 'second']) {
    const { operation } = await wcc.api.publish({
      action: 'backup_database',
      subject: { kind: 'database', name: `${kind} ${name}` },
      total: 100,
      leaseS: 600,
    });
    operations = [...operations, operation.id];
  }
  page = createServer((request, response) => void serve(request, response));
  // Listens on all addresses because one test uses the LAN address of this host.
  await new Promise<void>((resolve) => page.listen(port, resolve));
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  page.closeAllConnections();
  page.close();
  await wcc.close();
});

it('two progress elements on a foreign page update live, resist its styles and run no markup from names', async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  const record = await recordPageErrors(context);
  const foreign = await context.newPage();
  await foreign.goto(origin);
  const bars = foreign.locator('wcc-progress');
  for (const [index, done] of [30, 70].entries()) {
    await wcc.api.reportProgress(operations[index]!, { done });
    await until(async () => (await readRow(bars.nth(index))).value === done / 100, { what: `${done} %` });
  }
  await screenshot(foreign, 'foreign-page');
  const look = await bars.first().evaluate((element) => {
    const of = (selector: string): CSSStyleDeclaration =>
      getComputedStyle(element.shadowRoot!.querySelector(selector)!);
    const bar = element.shadowRoot!.querySelector('progress')!.getBoundingClientRect();
    const { color, fontSize, fontStyle, letterSpacing, textTransform, display, opacity } = of('.status');
    return {
      color,
      fontSize,
      fontStyle,
      letterSpacing,
      textTransform,
      display,
      opacity,
      bar: [bar.width, bar.height],
    };
  });
  expect(look).toMatchObject({
    fontStyle: 'normal',
    letterSpacing: 'normal',
    textTransform: 'none',
    opacity: '1',
  });
  expect(look.color).not.toBe('rgb(255, 0, 0)');
  // The font size of the browser, although the page sets other sizes on its root and on the element.
  expect(look.fontSize).toBe('14px');
  expect(look.bar[0]).toBeGreaterThan(200);
  expect(look.bar[1]).toBeGreaterThan(3);
  expect((await readRow(bars.first())).text).toContain(name);
  expect(await foreign.title()).toBe('A shop');
  // The snapshot has its public form, and the row has no buttons.
  expect((await readRow(bars.first())).snapshot).toMatchObject({ owner: '', ownerName: '', result: null });
  expect(await bars.first().getByRole('button').count()).toBe(0);
  await wcc.api.endOperation(operations[0]!, { state: 'succeeded' });
  await until(async () => (await readRow(bars.first())).look === 'succeeded', { what: 'the end' });
  expect(record).toEqual({ cspViolations: [], errors: [] });
  await context.close();
});

// A host with only loopback addresses cannot serve the page over a LAN: the test is reported as skipped.
it.skipIf(lanAddress === undefined)('the progress element works on a plain-HTTP page in a LAN', async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  const record = await recordPageErrors(context);
  const foreign = await context.newPage();
  await foreign.route('**/page.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: `import '/a/element/define.js';` }),
  );
  await foreign.goto(`http://${lanAddress}:${(page.address() as AddressInfo).port}/`);
  expect(await foreign.evaluate(() => globalThis.isSecureContext)).toBe(false);
  await foreign.waitForFunction(() => customElements.get('wcc-progress') !== undefined);
  const { may: _, ...snapshot } = await wcc.api.operation(operations[1]!);
  await foreign
    .locator('wcc-progress')
    .first()
    .evaluate((element, given) => {
      (element as unknown as { snapshot: unknown }).snapshot = given;
    }, snapshot);
  const bar = foreign.locator('wcc-progress').first();
  await until(async () => (await readRow(bar)).value === 0.7, { what: 'the bar' });
  expect(record).toEqual({ cspViolations: [], errors: [] });
  await context.close();
});
