import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { ClientMessage, ServerMessage } from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';

/** A server that says only what a test tells it to, on a real socket of port 0. */
export interface ScriptedServer {
  readonly url: string;
  /** Sockets in the order in which they came. */
  readonly peers: Peer[];
  /** Waits for the connection with this number, from 1. */
  peer(number: number): Promise<Peer>;
  close(): Promise<void>;
}

export interface Peer {
  readonly socket: WebSocket;
  /** What the client offered as subprotocols. */
  readonly offered: string;
  readonly messages: ClientMessage[];
  hello(epoch: string): void;
  say(message: ServerMessage): void;
  /** Waits until the client has sent so many messages. */
  heard(count: number): Promise<ClientMessage[]>;
}

export async function createScriptedServer(): Promise<ScriptedServer> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'wcc.v1' });
  const peers: Peer[] = [];
  http.on('upgrade', (request, raw, head) => {
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    sockets.handleUpgrade(request, raw, head, (socket) => peers.push(createPeer(socket, offered)));
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  const { port } = http.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/api/ws`,
    peers,
    peer: (number) => until(() => peers[number - 1]),
    close: async () => {
      for (const peer of peers) peer.socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => {
        http.close(resolve);
      });
    },
  };
}

function createPeer(socket: WebSocket, offered: string): Peer {
  const messages: ClientMessage[] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as ClientMessage));
  const say = (message: ServerMessage): void => socket.send(JSON.stringify(message));
  return {
    socket,
    offered,
    messages,
    say,
    hello: (epoch) =>
      say({
        t: 'hello',
        v: 1,
        conn: 'c',
        epoch,
        hb: 8,
        limits: { msg: 16_384, subs: 128, hz: 10 },
        exp: null,
      }),
    heard: (count) => until(() => (messages.length >= count ? messages : undefined)),
  };
}

/** Waits for a value that is not undefined; fails after two seconds. */
export async function until<Value>(look: () => Value | undefined): Promise<Value> {
  const end = performance.now() + 2000;
  for (;;) {
    const value = look();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error('It did not come within two seconds.');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

export function snapshotOf(change: Partial<Snapshot> = {}): Snapshot {
  return {
    id: 'aaaaaaaaaaaaaaaaaaaaaaaaaa',
    epoch: 'e1',
    seq: 1,
    at: '2026-01-01T14:02:00.000Z',
    label: 'copy_vm_image_100',
    action: 'copy_vm_image',
    subject: { kind: 'image', id: 100, name: 'debian-13.raw' },
    target: { kind: 'image', id: null, name: 'web-07.raw' },
    owner: 'u1',
    ownerName: 'sato',
    state: 'running',
    queuePosition: null,
    stateReason: null,
    phases: [
      { name: 'inspect', state: 'done' },
      {
        name: 'transfer',
        unit: 'bytes',
        done: 1_610_700_000,
        durable: 1_073_741_824,
        total: 2_576_980_378,
        state: 'running',
        elapsedMs: 4000,
      },
      { name: 'flush', state: 'pending' },
      { name: 'publish', state: 'pending' },
    ],
    phaseIndex: 1,
    rate: 432_013_312,
    etaMs: 12_300,
    etaAbsence: null,
    bytes: {
      virtual: 42_949_672_960,
      data: 2_576_980_378,
      skipped: 40_372_692_582,
      shared: 0,
      written: 1_610_612_736,
    },
    method: 'kernel-copy',
    elapsedMs: 4200,
    sinceProgressMs: 0,
    stalled: false,
    createdAt: '2026-01-01T14:00:00.000Z',
    startedAt: '2026-01-01T14:00:00.000Z',
    endedAt: null,
    warnings: [],
    error: null,
    result: null,
    retryOf: null,
    partOf: null,
    ...change,
  };
}

export { WebSocket };
