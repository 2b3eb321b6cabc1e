import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer, request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { serve as serveHono } from '@hono/node-server';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import type { ProgressClient } from '../client/client.ts';
import { createEventStreams } from './event-streams.ts';
import { eventStream } from './event-stream.ts';
import { createHub } from './hub.ts';
import type { Hub } from './hub.ts';
import { serveProgress } from './serve-progress.ts';
import { copyRecord, ended, moved } from './testkit/record.testkit.ts';
import { ask, createPage, userOfCookie } from './testkit/served.testkit.ts';

const ends: (() => unknown)[] = [];
const clients = new Set<ProgressClient>();
afterEach(async () => {
  for (const client of clients) client.close();
  for (const end of ends.splice(0).toReversed()) await end();
});

interface App {
  use(middleware: unknown): void;
  get(path: string, handler: (request: never, response: never) => unknown): void;
  callback(): RequestListener;
}

/** These packages have no types of their own. */
const load = async <T>(name: string): Promise<T> => ((await import(name)) as { default: T }).default;
const express = await load<(() => App & RequestListener) & { json(): unknown }>('express');
const compression = await load<(options: object) => unknown>('compression');
const Koa = await load<new () => App>('koa');

type Send = { send(text: string): void };

/** Starts an application that answers `/app` with the text `app`, in the way of its framework. */
type Framework = () => Promise<Server> | Server;

const listen = async (server: Server): Promise<Server> => {
  if (!server.listening)
    await new Promise<void>((resolve) => server.once('listening', resolve).listen(0, '127.0.0.1'));
  return server;
};

const frameworks: Record<string, Framework> = {
  'Express 5': () => {
    const app = express();
    app.use(express.json());
    app.get('/app', (_request, response: Send) => response.send('app'));
    return listen(createServer(app));
  },
  'Express 5 with compression': () => {
    const app = express();
    app.use(compression({ threshold: 0 }));
    app.get('/app', (_request, response: Send) => response.send('app'));
    return listen(createServer(app));
  },
  'Fastify 5': async () => {
    const app = fastify();
    app.get('/app', async () => 'app');
    await app.listen({ port: 0, host: '127.0.0.1' });
    ends.push(() => app.close());
    return app.server;
  },
  'Hono on Node': () => {
    const app = new Hono();
    app.get('/app', (context) => context.text('app'));
    return listen(serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server);
  },
  'Koa 3': () => {
    const app = new Koa();
    app.use((context: { path: string; body: string }) => {
      if (context.path === '/app') context.body = 'app';
    });
    return listen(createServer(app.callback()));
  },
};

const soon = { timeout: 8000, interval: 10 };
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function startHub(): Hub {
  const hub = createHub({ tickMs: 20 });
  ends.push(() => hub.close());
  return hub;
}

/** Moves an operation from its begin to its end, and waits for each step to be seen. */
async function expectProgress(
  hub: Hub,
  watch: (id: string, seen: (snapshot: Snapshot) => void) => void,
): Promise<void> {
  const record = copyRecord({ owner: 'ann' });
  hub.put(record);
  let newest: Snapshot | undefined;
  watch(record.id, (snapshot) => (newest = snapshot));
  await expect.poll(() => newest?.state, soon).toBe('running');
  for (const done of [100, 600]) {
    hub.put(moved(record, done));
    await expect.poll(() => newest?.phases[1], soon).toMatchObject({ done });
  }
  hub.put(ended(moved(record, 1000)));
  await expect.poll(() => newest?.state, soon).toBe('succeeded');
}

describe.each(Object.entries(frameworks))('serveProgress in %s', (_name, start) => {
  it('serves sockets and event streams, and leaves the routes to the application', async () => {
    const hub = startHub();
    const server = await start();
    const progress = serveProgress(server, { hub, user: userOfCookie });
    ends.push(
      () => server.close(),
      () => server.closeAllConnections(),
      () => progress.close(),
    );
    const page = createPage(portOf(server), 'ann', clients);
    for (const transport of ['websocket', 'sse'] as const) {
      const client = page.connect({ transport });
      await expectProgress(hub, (id, seen) => client.watch(id, seen));
      expect(client.status.transport).toBe(transport);
    }
    expect(await page.ask('GET', '/app')).toMatchObject({ status: 200, body: 'app' });
    expect((await page.ask('GET', '/progress')).status).toBe(404);
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl)
  console.log('Skipped, https: openssl is not installed, and nothing else here makes a certificate.');

describe.skipIf(!hasOpenssl)('serveProgress on an https server', () => {
  it('serves a page of the same host over TLS, and refuses the same host without TLS', async () => {
    const certificate = makeCertificate();
    const hub = startHub();
    const server = createSecureServer(certificate, (_request, response) => response.end('app'));
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const progress = serveProgress(server, { hub, user: userOfCookie, onError });
    await listen(server);
    ends.push(
      () => server.close(),
      () => server.closeAllConnections(),
      () => progress.close(),
    );
    const { port } = server.address() as AddressInfo;
    const statusFor = (origin: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { host: `app.example.org:${port}`, origin, cookie: 'sid=ann' };
        const to = { host: '127.0.0.1', port, method: 'POST', path: '/progress/ticket', agent: false };
        const outgoing = secureRequest({ ...to, headers, rejectUnauthorized: false }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        outgoing.on('error', reject).end();
      });
    expect(await statusFor(`https://app.example.org:${port}`)).toBe(200);
    expect(await statusFor(`http://app.example.org:${port}`)).toBe(403);
    expect(await statusFor(`https://other.example.org:${port}`)).toBe(403);
    expect(errors).toMatchObject([{ code: 'foreign_origin', hint: expect.stringContaining('origin') }]);
  });
});

/** A key and a certificate that no client trusts. */
function makeCertificate(): { key: string; cert: string } {
  const command = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ];
  const printed = execFileSync('openssl', [...command, '-subj', '/CN=app.example.org', '-keyout', '-'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const at = printed.indexOf('-----BEGIN CERTIFICATE-----');
  return { key: printed.slice(0, at), cert: printed.slice(at) };
}

/** Reads an event stream of one operation by `fetch`, as an EventSource would. */
async function readEvents(url: string, seen: (snapshot: Snapshot) => void): Promise<void> {
  const response = await fetch(url, { headers: { cookie: 'sid=ann', 'accept-encoding': 'gzip' } });
  expect(response.status).toBe(200);
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) seen(JSON.parse(data) as Snapshot);
    }
  }
}

describe('event streams inside a framework', () => {
  it('pass the compression middleware of Express at once, which compresses the other answers', async () => {
    const hub = startHub();
    const streams = createEventStreams<string>({
      hub,
      user: (user) => ({ user, session: user, expiresAtMs: null }),
      authorize: (user, _watch, { owner }) => owner === user,
    });
    ends.push(() => streams.shutdown());
    const app = express();
    app.use(compression({ threshold: 0 }));
    app.get('/big', (_request: unknown, response: { send: (text: string) => void }) =>
      response.send('a'.repeat(5000)),
    );
    app.get(
      '/jobs/:id/events',
      (request: IncomingMessage & { params: { id: string } }, response: ServerResponse) =>
        streams.serve(request, response, { principal: 'ann', operation: request.params.id }),
    );
    const server = await listen(createServer(app));
    ends.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const at = `http://127.0.0.1:${portOf(server)}`;
    await expectProgress(hub, (id, seen) => void readEvents(`${at}/jobs/${id}/events`, seen));
    const big = await ask(portOf(server), {
      method: 'GET',
      path: '/big',
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(big.headers['content-encoding']).toBe('gzip');
  });

  it('are Web standard responses in Hono', async () => {
    const hub = startHub();
    const app = new Hono();
    const user = (request: Request): string | null =>
      /sid=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1] ?? null;
    app.get('/jobs/:id/events', (context) =>
      eventStream(context.req.raw, { hub, user, operation: context.req.param('id') }),
    );
    app.all('/progress/events', (context) => eventStream(context.req.raw, { hub, user }));
    const server = await listen(serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server);
    ends.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const at = `http://127.0.0.1:${portOf(server)}`;
    await expectProgress(hub, (id, seen) => void readEvents(`${at}/jobs/${id}/events`, seen));
    const client = createPage(portOf(server), 'ann', clients).connect({ transport: 'sse' });
    await expectProgress(hub, (id, seen) => client.watch(id, seen));
  });
});
