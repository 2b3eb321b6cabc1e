import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { closeCodes } from '@wcc/progress/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { handshakeText } from '../upgrade.testkit.ts';
import { createInputBudget } from './input-budget.ts';
import type { InputBudget } from './input-budget.ts';
import type { MachineBridge } from './machine-sockets.ts';
import { bridgeSerial } from './serial.ts';

/** The socket of a serial log, with real sockets and scripted logs. */
let http: Server;
let webSockets: WebSocketServer;
let bridge: MachineBridge | undefined;
let log: (signal: AbortSignal) => AsyncIterable<Buffer>;
let errors: unknown[];
let leaving: AbortController;
let silentMs: number;
let budget: InputBudget;

beforeEach(async () => {
  errors = [];
  leaving = new AbortController();
  silentMs = 10_000;
  budget = createInputBudget();
  http = createServer();
  webSockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  webSockets.on('connection', (socket, request) => {
    const own = leaving;
    bridge = bridgeSerial({
      socket,
      wire: request.socket,
      budget,
      log: log(own.signal),
      leave: () => own.abort(),
      onError: (error) => errors.push(error),
      timeouts: { pingMs: 20, silentMs, heartbeatMs: 30 },
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
});
afterEach(async () => {
  for (const client of webSockets.clients) client.terminate();
  webSockets.close();
  http.close();
  await once(http, 'close');
});

const port = (): number => (http.address() as AddressInfo).port;

interface Page {
  socket: WebSocket;
  /** Texts as they are, binary messages as their length. */
  messages: (string | number)[];
  bytes: () => Buffer;
  closed: Promise<number>;
}

async function openPage(): Promise<Page> {
  const socket = new WebSocket(`ws://127.0.0.1:${port()}/`);
  const [messages, parts]: [(string | number)[], Buffer[]] = [[], []];
  socket.on('message', (data: Buffer, isBinary) => {
    messages.push(isBinary ? data.length : data.toString());
    if (isBinary) parts.push(data);
  });
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  return { socket, messages, bytes: () => Buffer.concat(parts), closed };
}

/** Yields the parts, then nothing until the page leaves. */
function logOf(...parts: Buffer[]): typeof log {
  return async function* (signal) {
    yield* parts;
    if (!signal.aborted) await once(signal, 'abort');
  };
}

it('V5: a quiet serial log sends heartbeats', async () => {
  log = logOf(Buffer.alloc(0));
  const page = await openPage();
  await waitUntil('heartbeats', () => page.messages.length > 3);
  expect(page.messages.slice(0, 3)).toEqual(['{"t":"log","bytes":0}', '{"t":"hb"}', '{"t":"hb"}']);
  page.socket.terminate();
});

it('announces the kept log, and sends it and new output in short messages', async () => {
  const [kept, more] = [Buffer.alloc(40_000, 'k'), Buffer.alloc(20_000, 'm')];
  log = logOf(kept, more);
  const page = await openPage();
  await waitUntil('all bytes', () => page.bytes().length === 60_000);
  expect(page.bytes().equals(Buffer.concat([kept, more]))).toBe(true);
  const [announced, ...rest] = page.messages.filter((message) => message !== '{"t":"hb"}');
  expect([announced, ...rest]).toEqual(['{"t":"log","bytes":40000}', 16_384, 16_384, 7232, 16_384, 3616]);
  page.socket.terminate();
});

it('closes when the page sends anything, because the log is only read', async () => {
  log = logOf(Buffer.from('x'));
  const page = await openPage();
  page.socket.send('x');
  expect(await page.closed).toBe(closeCodes.malformed);
  expect(leaving.signal.aborted).toBe(true);
});

it('reads the log no faster than the page', async () => {
  let readBytes = 0;
  log = async function* (signal) {
    while (!signal.aborted) {
      readBytes += 65_536;
      yield Buffer.alloc(65_536);
    }
  };
  const page = connect(port(), '127.0.0.1');
  page.on('error', () => {});
  await once(page, 'connect');
  page.write(handshakeText({ port: port() }));
  await once(page, 'data');
  page.pause();
  let before = -1;
  await waitUntil('reading to stop', async () => {
    const isStill = before === readBytes;
    before = readBytes;
    for (let turn = 0; turn < 2000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return isStill;
  });
  // The kernel's buffers for one connection, and one part.
  expect(readBytes).toBeLessThan(20 * 1024 ** 2);
  page.destroy();
  await waitUntil('the end of the log', () => leaving.signal.aborted);
});

it('reads a page that sends pings no faster than its budget, and sends it the log', async () => {
  budget = createInputBudget({ bytesPerSecond: 1, burstBytes: 1000 });
  silentMs = 60_000;
  log = logOf(Buffer.from('x'));
  const page = await openPage();
  for (let count = 0; count < 50; count += 1) page.socket.ping();
  await waitUntil('the pause', () => [...webSockets.clients].some(({ isPaused }) => isPaused));
  const seen = page.messages.length;
  await waitUntil('further heartbeats', () => page.messages.length > seen + 2);
  expect(page.bytes().toString()).toBe('x');
  bridge?.close(closeCodes.sessionEnded);
  expect(await page.closed).toBe(closeCodes.sessionEnded);
});

it('ends a page that is gone, and passes nothing after close()', async () => {
  silentMs = 200;
  log = logOf(Buffer.from('x'));
  const gone = connect(port(), '127.0.0.1');
  await once(gone, 'connect');
  gone.write(handshakeText({ port: port() }));
  await waitUntil('the end of the log', () => leaving.signal.aborted);
  gone.destroy();

  leaving = new AbortController();
  silentMs = 10_000;
  let push: () => void = () => {};
  log = async function* (signal) {
    yield Buffer.from('first');
    await new Promise<void>((resolve) => (push = resolve));
    yield Buffer.from(signal.aborted ? 'late' : 'second');
  };
  const page = await openPage();
  await waitUntil('the first part', () => page.bytes().length === 5);
  bridge?.close(closeCodes.sessionEnded);
  push();
  expect(await page.closed).toBe(closeCodes.sessionEnded);
  expect(page.bytes().toString()).toBe('first');
});

it('reports an error of the log, and closes', async () => {
  log = () => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('gone')) }),
  });
  const page = await openPage();
  expect(await page.closed).toBe(closeCodes.normal);
  expect(errors.map(String)).toEqual(['Error: gone']);
});
