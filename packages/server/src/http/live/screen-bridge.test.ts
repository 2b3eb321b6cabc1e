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

/** The joint between a page and a machine's screen, with real sockets and a screen that never stops. */
const MiB = 1024 ** 2;

let http: Server;
let webSockets: WebSocketServer;
let life: ScreenTimeouts | undefined;
let screen: EndlessScreen;

/** Pours out pictures as fast as they are taken, and swallows what is typed. */
class EndlessScreen extends Duplex {
  pouredBytes = 0;
  override _read(): void {
    this.pouredBytes += 65_536;
    // Not at once: a real screen lets others run too.
    setImmediate(() => this.push(Buffer.alloc(65_536)));
  }
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

beforeEach(async () => {
  life = undefined;
  screen = new EndlessScreen();
  http = createServer();
  webSockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  webSockets.on('connection', (socket) =>
    bridgeScreen(socket, screen, { filter: null, ...(life === undefined ? {} : { life }) }),
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

/** A page whose computer takes nothing any more: its connection lives. */
async function openDeaf(): Promise<Socket> {
  const socket = connect(port(), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(handshakeText({ port: port() }));
  await once(socket, 'data');
  socket.pause();
  return socket;
}

/** Bytes that the kernel holds of one connection, both ends together, at most; what waits in us comes on top. */
const kernelBytes = 16 * MiB;

it('reads a screen no further than its page takes it, and goes on when it does', async () => {
  const page = await openDeaf();
  let before = -1;
  await waitUntil('the screen to be left alone', async () => {
    const isStill = before === screen.pouredBytes;
    before = screen.pouredBytes;
    for (let turn = 0; turn < 2000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return isStill;
  });
  expect(screen.pouredBytes).toBeLessThan(kernelBytes + 2 * MiB);
  const [client] = webSockets.clients;
  expect(client?.bufferedAmount).toBeLessThan(2 * MiB);
  let taken = 0;
  page.on('data', (chunk: Buffer) => (taken += chunk.length)).resume();
  await waitUntil('the screen to pour on', () => taken > kernelBytes + 4 * MiB);
  page.destroy();
  await waitUntil('the screen to be let go', () => screen.destroyed);
});

it('lets go of a page that neither reads nor answers', async () => {
  life = { pingMs: 20, silentMs: 300 };
  const page = await openDeaf();
  await waitUntil('the screen to be let go', () => screen.destroyed);
  expect(webSockets.clients.size).toBe(0);
  page.destroy();
});

it('keeps one that only looks, and one that answers while nothing is shown', async () => {
  life = { pingMs: 20, silentMs: 300 };
  screen.pause();
  const page = new WebSocket(`ws://127.0.0.1:${port()}/`);
  let pings = 0;
  page.on('ping', () => (pings += 1));
  await once(page, 'open');
  await waitUntil('many pings', () => pings > 40);
  expect(screen.destroyed).toBe(false);
  page.terminate();
  await waitUntil('the screen to be let go', () => screen.destroyed);
});
