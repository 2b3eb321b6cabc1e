import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeCodes } from '@wcc/progress/protocol';
import { WebSocket, WebSocketServer } from 'ws';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { bridgeScreen } from './screen-bridge.ts';
import type { MachineBridge } from './machine-sockets.ts';
import type { LifeTimeouts } from './socket-life.ts';
import { createRfbInput } from './rfb-input.ts';
import { binaryFrame } from '../open-things.testkit.ts';
import { handshakeText } from '../upgrade.testkit.ts';

/** The bridge between a page and a machine's screen, with real sockets and an endless screen. */
const MiB = 1024 ** 2;

let http: Server;
let webSockets: WebSocketServer;
let timeouts: LifeTimeouts | undefined;
let hasHeartbeat: boolean;
let screen: EndlessScreen;
let bridge: MachineBridge;

/** Sends data as fast as it is read, and discards input. */
class EndlessScreen extends Duplex {
  sentBytes = 0;
  writtenBytes = 0;
  override _read(): void {
    this.sentBytes += 65_536;
    // Asynchronous, so that other work can run, as with a real screen.
    setImmediate(() => this.push(Buffer.alloc(65_536)));
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writtenBytes += chunk.length;
    done();
  }
}

beforeEach(async () => {
  timeouts = undefined;
  hasHeartbeat = false;
  screen = new EndlessScreen();
  http = createServer();
  webSockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  webSockets.on('connection', (socket, { socket: wire }) => {
    const input = createRfbInput({ isViewOnly: false });
    const options = { socket, wire, backend: screen, input, hasHeartbeat };
    bridge = bridgeScreen(timeouts === undefined ? options : { ...options, timeouts });
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

/** A page that has stopped reading while its connection stays open. */
async function openStalledPage(): Promise<Socket> {
  const socket = connect(port(), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(handshakeText({ port: port() }));
  await once(socket, 'data');
  socket.pause();
  return socket;
}

/** Upper bound of the kernel's buffers for one connection, both ends together. */
const kernelBytes = 16 * MiB;

it('bridgeScreen stops reading a screen while its page is stalled, and continues with the page', async () => {
  const page = await openStalledPage();
  let before = -1;
  await waitUntil('reading to stop', async () => {
    const isStill = before === screen.sentBytes;
    before = screen.sentBytes;
    for (let turn = 0; turn < 2000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return isStill;
  });
  expect(screen.sentBytes).toBeLessThan(kernelBytes + 2 * MiB);
  const [client] = webSockets.clients;
  expect(client?.bufferedAmount).toBeLessThan(2 * MiB);
  let receivedBytes = 0;
  page.on('data', (chunk: Buffer) => (receivedBytes += chunk.length)).resume();
  await waitUntil('more data from the screen', () => receivedBytes > kernelBytes + 4 * MiB);
  page.destroy();
  await waitUntil('the screen to be closed', () => screen.destroyed);
});

it('bridgeScreen closes a page that neither reads nor answers', async () => {
  timeouts = { pingMs: 20, silentMs: 300, heartbeatMs: 20 };
  const page = await openStalledPage();
  await waitUntil('the screen to be closed', () => screen.destroyed);
  expect(webSockets.clients.size).toBe(0);
  page.destroy();
});

it('bridgeScreen keeps a page that only answers pings while nothing is shown', async () => {
  timeouts = { pingMs: 20, silentMs: 300, heartbeatMs: 20 };
  screen.pause();
  const page = new WebSocket(`ws://127.0.0.1:${port()}/`);
  let pings = 0;
  page.on('ping', () => (pings += 1));
  await once(page, 'open');
  await waitUntil('many pings', () => pings > 40);
  expect(screen.destroyed).toBe(false);
  page.terminate();
  await waitUntil('the screen to be closed', () => screen.destroyed);
});

it.each([true, false])(
  'V6: bridgeScreen sends heartbeats while nothing is shown: %s, as the page asked',
  async (isAsked) => {
    timeouts = { pingMs: 20, silentMs: 10_000, heartbeatMs: 20 };
    hasHeartbeat = isAsked;
    screen.pause();
    const page = new WebSocket(`ws://127.0.0.1:${port()}/`);
    const texts: string[] = [];
    let pings = 0;
    page.on('ping', () => (pings += 1));
    page.on('message', (data: Buffer, isBinary) => (isBinary ? undefined : texts.push(data.toString())));
    await once(page, 'open');
    await waitUntil('pings and heartbeats', () => pings > 5 && (!isAsked || texts.length > 2));
    expect(new Set(texts)).toEqual(new Set(isAsked ? ['{"t":"hb"}'] : []));
    page.terminate();
    await waitUntil('the screen to be closed', () => screen.destroyed);
  },
);

describe('SH1: a page that ignores the close frame', () => {
  it.each([closeCodes.sessionEnded, closeCodes.malformed, closeCodes.goingAway, closeCodes.normal])(
    'of code %i passes no further input and is cut',
    async (code) => {
      const page = await openStalledPage();
      page.on('error', () => {});
      page.resume();
      page.write(binaryFrame(Buffer.from('RFB 003.008\n')));
      await waitUntil('the input', () => screen.writtenBytes > 0);
      const { writtenBytes } = screen;
      if (code === closeCodes.malformed) page.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 65]));
      else bridge.close(code);
      await waitUntil('the end of the screen', () => screen.destroyed);
      const typing = setInterval(() => page.write(binaryFrame(Buffer.from([1]))), 10);
      const closedAtMs = performance.now();
      await waitUntil('the cut', () => page.destroyed);
      clearInterval(typing);
      expect(screen.writtenBytes).toBe(writtenBytes);
      expect(performance.now() - closedAtMs).toBeLessThan(5_000);
    },
  );
});

it('SM4: bridgeScreen reads a flooding page only as fast as its budget', async () => {
  const page = new WebSocket(`ws://127.0.0.1:${port()}/`);
  await once(page, 'open');
  page.send(Buffer.from('RFB 003.008\n\x01\x01', 'latin1'));
  const pointer = Buffer.alloc(240_000, Buffer.from([5, 1, 0, 9, 0, 9]));
  for (let count = 0; count < 40; count += 1) page.send(pointer);
  const startedAtMs = performance.now();
  await waitUntil('the first bytes', () => screen.writtenBytes > 100_000);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const seconds = (performance.now() - startedAtMs) / 1000;
  // The burst, what one read brings, and the rate.
  expect(screen.writtenBytes).toBeLessThan(131_072 + 2 * 240_000 + seconds * 65_536);
  page.terminate();
  await waitUntil('the screen to be closed', () => screen.destroyed);
});
