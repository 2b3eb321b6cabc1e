import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { bridgeScreen } from './screen-bridge.ts';
import type { ScreenTimeouts } from './screen-bridge.ts';
import { handshakeText } from '../upgrade.testkit.ts';

/** The bridge between a page and a machine's screen, with real sockets and an endless screen. */
const MiB = 1024 ** 2;

let http: Server;
let webSockets: WebSocketServer;
let timeouts: ScreenTimeouts | undefined;
let screen: EndlessScreen;

/** Sends data as fast as it is read, and discards input. */
class EndlessScreen extends Duplex {
  sentBytes = 0;
  override _read(): void {
    this.sentBytes += 65_536;
    // Asynchronous, so that other work can run, as with a real screen.
    setImmediate(() => this.push(Buffer.alloc(65_536)));
  }
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

beforeEach(async () => {
  timeouts = undefined;
  screen = new EndlessScreen();
  http = createServer();
  webSockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  webSockets.on('connection', (socket) =>
    bridgeScreen(socket, screen, { filter: null, ...(timeouts === undefined ? {} : { timeouts }) }),
  );
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
  timeouts = { pingMs: 20, silentMs: 300 };
  const page = await openStalledPage();
  await waitUntil('the screen to be closed', () => screen.destroyed);
  expect(webSockets.clients.size).toBe(0);
  page.destroy();
});

it('bridgeScreen keeps a page that only answers pings while nothing is shown', async () => {
  timeouts = { pingMs: 20, silentMs: 300 };
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
