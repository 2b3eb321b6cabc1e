import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '@wcc/api';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { registerProblems } from '../problems.ts';
import { adminToken, startTestServer } from '../server.testkit.ts';
import { handshakeText } from '../upgrade.testkit.ts';
import { registerPassingStates } from './passing-states.ts';
import type { ServerState } from './passing-states.ts';

let app: FastifyInstance;
let origin: string;
let state: ServerState;
let entered: number;

beforeEach(async () => {
  [state, entered] = ['ready', 0];
  app = fastify({ serverFactory: (handler) => createServer(handler) });
  app.addHook('onRequest', async () => void (entered += 1));
  registerProblems(app);
  registerPassingStates(app, { state: () => state, holdMs: 300 });
  const upload = { config: { isUpload: true } };
  app.head('/api/uploads/a', upload, async () => Promise.reject(new Error('the disk is gone')));
  app.patch('/api/uploads/a', upload, async () => Promise.reject(new ApiError('no_space')));
  app.post('/api/uploads', async (_request, reply) => reply.code(201).send());
  app.get('/api/events', { config: { isStream: true } }, async (_request, reply) => reply.send('an event'));
  await app.listen({ port: 0, host: '127.0.0.1' });
  origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  app.server.closeAllConnections();
  await app.close();
});

const ask = (method: string, path: string): Promise<Response> => fetch(`${origin}${path}`, { method });

describe.each(['stopping', 'database_unavailable'] as const)('F25: while the server is %s', (now) => {
  it('tus gets 423, so that a stock client keeps its upload, and others get 503', async () => {
    state = now;
    for (const method of ['HEAD', 'PATCH']) {
      const { status, headers } = await ask(method, '/api/uploads/a');
      expect([method, status, headers.get('retry-after')]).toEqual([method, 423, '1']);
    }
    const created = await ask('POST', '/api/uploads');
    expect([created.status, created.headers.get('retry-after')]).toEqual([503, '1']);
  });

  it('an event stream waits, and opens when the server is ready', async () => {
    state = now;
    const answer = ask('GET', '/api/events');
    await waitUntil('the request', () => entered === 1);
    state = 'ready';
    expect((await answer).status).toBe(200);
  });

  it('an event stream that waited too long is cut without an answer', async () => {
    state = now;
    await expect(ask('GET', '/api/events')).rejects.toThrow('fetch failed');
  });
});

it('F25: no failure of a HEAD makes a stock client forget its upload', async () => {
  expect((await ask('HEAD', '/api/uploads/a')).status).toBe(423);
  // An answer to bytes keeps its own status.
  expect((await ask('PATCH', '/api/uploads/a')).status).toBe(507);
});

it('F25: a stream that loses the database after its check is cut as well', async () => {
  const other = fastify({ serverFactory: (handler) => createServer(handler) });
  registerProblems(other);
  other.get('/api/events', { config: { isStream: true } }, async () =>
    Promise.reject(new ApiError('database_unavailable')),
  );
  await other.listen({ port: 0, host: '127.0.0.1' });
  const { port } = other.server.address() as AddressInfo;
  await expect(fetch(`http://127.0.0.1:${port}/api/events`)).rejects.toThrow('fetch failed');
  const closed = once(other.server, 'close');
  await other.close();
  await closed;
});

interface RawConnection {
  socket: Socket;
  received: () => string;
  /** Also after a reset. */
  closed: Promise<unknown>;
}

async function open(port: number, text: string): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  let received = '';
  socket.on('error', () => {}).on('data', (part: string) => (received += part));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  socket.write(text);
  return { socket, received: () => received, closed };
}

it('F25: a request on a connection that is left while the server stops gets the same answers', async () => {
  const server = await startTestServer();
  const { port } = server;
  // Their heads are incomplete, so the server does not close these connections as idle ones.
  const head = await open(port, `HEAD /api/uploads/a HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`);
  const stream = await open(port, `GET /api/operations/a/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`);
  // A stop waits for a moment for a watcher that does not say goodbye.
  const watcher = await open(port, handshakeText({ port, bearer: adminToken }));
  await waitUntil('the watcher', () => watcher.received().includes('"hello"'));
  const goodbye = new Promise<void>((resolve) => {
    watcher.socket.on('data', () => {
      if (watcher.received().includes('"bye"')) resolve();
    });
  });
  const stopped = server.close();
  await goodbye;
  for (const { socket } of [head, stream]) socket.write('\r\n');
  await waitUntil('the answer', () => head.received() !== '' || head.socket.destroyed);
  expect(head.received()).toMatch(/^HTTP\/1\.1 423 /);
  await stopped;
  await Promise.all([head, stream, watcher].map(({ closed }) => closed));
  expect(stream.received()).toBe('');
});
