import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { launchBrowser } from '../kit/browser/browser.ts';
import { addSession } from '../kit/browser/console.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { CookieSession } from '../kit/session.ts';

/**
 * Attacks by a third-party page in a signed-in browser (threats 2, 3 and 18 of docs/security.md). A page on another
 * port of the same host is same-site, so it sends even a Strict cookie. Only its Origin differs.
 */
let server: TestServer;
let browser: Browser;
let foreignServer: Server;
let session: CookieSession;
let image: Image;
let running: string;

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  await makeRandomImage(join(server.poolDir, 'source.raw'), 32 * MiB);
  image = await registerImage(server, 'source.raw');
  session = await signIn(server, await createUser(server, 'chief', 'admin'));
  const { operation } = await server.api.copyImage(image.id, {
    name: 'running.raw',
    method: 'copy',
    bytesPerSecond: 65_536,
  });
  running = operation.id;
  await waitForState(server, running, { states: ['running'] });
  foreignServer = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>elsewhere</title>');
  });
  foreignServer.listen(0);
  await once(foreignServer, 'listening');
});

afterAll(async () => {
  await browser.close();
  foreignServer.closeAllConnections();
  foreignServer.close();
  await server.close();
});

interface Exchange {
  headers: Record<string, string>;
  status: number;
}

/** Records the exchange with one address as the browser's network log shows it. Other requests are ignored. */
async function recordExchange(
  context: BrowserContext,
  page: Page,
  url: string,
): Promise<() => Exchange | null> {
  const cdp = await context.newCDPSession(page);
  const wanted = new Set<string>();
  const sent = new Map<string, Record<string, string>>();
  const received = new Map<string, number>();
  cdp.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (request.url === url) wanted.add(requestId);
  });
  cdp.on('Network.requestWillBeSentExtraInfo', ({ requestId, headers }) => void sent.set(requestId, headers));
  cdp.on(
    'Network.responseReceivedExtraInfo',
    ({ requestId, statusCode }) => void received.set(requestId, statusCode),
  );
  await cdp.send('Network.enable');
  return () => {
    for (const requestId of wanted) {
      const [headers, status] = [sent.get(requestId), received.get(requestId)];
      if (headers && status !== undefined) return { headers, status };
    }
    return null;
  };
}

describe.each([
  ['a same-site page on another port', '127.0.0.1', true],
  ['a cross-site page', 'localhost', false],
])('%s', (_what, host, hasCookie) => {
  let context: BrowserContext;
  let page: Page;
  beforeEach(async () => {
    context = await browser.newContext();
    await addSession(context, session);
    page = await context.newPage();
    await page.goto(`http://${host}:${(foreignServer.address() as AddressInfo).port}/`);
  });
  afterEach(() => context.close());

  /**
   * Posts as such a page can: it cannot read the answer. Chromium hides the response event as well
   * (Cross-Origin-Resource-Policy), so the status is read from its network log.
   */
  async function send(path: string, request: { body?: string; type?: string }): Promise<number> {
    const url = server.baseUrl + path;
    const wire = await recordExchange(context, page, url);
    await page.evaluate(
      ([target, body, type]) =>
        fetch(target!, {
          method: 'POST',
          mode: 'no-cors',
          credentials: 'include',
          ...(body === undefined ? {} : { body }),
          ...(type === undefined ? {} : { headers: { 'content-type': type } }),
        }).then(
          () => null,
          () => null,
        ),
      [url, request.body, request.type],
    );
    const { headers, status } = await until(wire, { what: `the answer to POST ${path}` });
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    expect(sent['origin']).toMatch(`http://${host}:`);
    expect(sent['cookie'] !== undefined, 'whether the cookie is sent').toBe(hasCookie);
    return status;
  }

  it('gets 403 for cancel, pause, tickets, sign-in and sign-out, without effect', async () => {
    const before = await server.api.operations();
    const paths = [
      `/api/operations/${running}/cancel`,
      `/api/operations/${running}/pause`,
      '/api/ws-tickets',
      '/api/session',
      '/api/first-sign-in',
      '/api/tokens',
      '/api/users',
    ];
    const statuses: Record<string, number> = {};
    for (const path of paths) statuses[path] = await send(path, {});
    expect(statuses).toEqual(Object.fromEntries(paths.map((path) => [path, 403])));
    const after = await server.api.operations();
    expect(after.items.map(({ id, state }) => [id, state])).toEqual(
      before.items.map(({ id, state }) => [id, state]),
    );
  });

  it('gets 403 for a copy request whose body needs no preflight', async () => {
    const body = JSON.stringify({ name: 'planted.raw' });
    expect(await send(`/api/images/${image.id}/copy`, { body, type: 'text/plain' })).toBe(403);
    expect((await server.api.operations()).items).toHaveLength(1);
  });

  it('cannot post a JSON body because its preflight is refused', async () => {
    const refused = await page.evaluate(
      (url) =>
        fetch(url, {
          method: 'POST',
          credentials: 'include',
          headers: { 'content-type': 'application/json' },
          body: '{"name":"planted.raw"}',
        }).then(
          (response) => `read ${response.status}`,
          (error: unknown) => (error as Error).name,
        ),
      `${server.baseUrl}/api/images/${image.id}/copy`,
    );
    expect(refused).toBe('TypeError');
    expect((await server.api.operations()).items).toHaveLength(1);
  });

  it('cannot read answers of the API', async () => {
    const read = await page.evaluate(
      (url) =>
        fetch(url, { credentials: 'include' }).then(
          (answer) => answer.text(),
          () => 'unreadable',
        ),
      `${server.baseUrl}/api/images`,
    );
    expect(read).toBe('unreadable');
  });

  it('gets 403 for a WebSocket even with a stolen ticket', async () => {
    const ticket = await session.ticket();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.enable');
    const messages: string[] = [];
    cdp.on('Network.webSocketFrameError', ({ errorMessage }) => void messages.push(errorMessage));
    cdp.on(
      'Network.webSocketFrameReceived',
      ({ response }) => void messages.push(`frame ${response.payloadData}`),
    );
    const isOpen = await page.evaluate(
      ([url, stolen]) =>
        new Promise<boolean>((resolve) => {
          const socket = new WebSocket(url!, ['wcc.v1', `wcc.ticket.${stolen}`]);
          socket.addEventListener('open', () => resolve(true));
          socket.addEventListener('error', () => resolve(false));
        }),
      [`ws://127.0.0.1:${server.port}/api/ws`, ticket],
    );
    expect(isOpen).toBe(false);
    await until(() => messages.length > 0, { what: 'the browser to report why the socket failed' });
    expect(messages.join()).toMatch(/403/);
  });

  it('cannot frame the console', async () => {
    await page.evaluate((url) => {
      const frame = document.createElement('iframe');
      frame.src = url;
      document.body.append(frame);
    }, server.baseUrl);
    const frame = await until(() => page.frames().find((each) => each !== page.mainFrame()), {
      what: 'the frame',
    });
    await until(() => frame.url() !== 'about:blank' && frame.url() !== '', {
      what: 'the frame to be refused',
    });
    expect(frame.url()).toMatch(/^chrome-error:/);
  });
});
