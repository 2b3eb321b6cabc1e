import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { ClientMessage, ServerMessage } from '../core/protocol.ts';

/** A server on a real socket that sends only what the test sends. */
export interface ScriptedServer {
  readonly url: string;
  /** Sockets in the order of their connections. */
  readonly peers: Peer[];
  /** Waits for the connection with this number, starting at 1. */
  peer(number: number): Promise<Peer>;
  close(): Promise<void>;
}

export interface Peer {
  readonly socket: WebSocket;
  /** The subprotocols that the client offered. */
  readonly offered: string;
  readonly messages: ClientMessage[];
  hello(epoch: string): void;
  send(message: ServerMessage): void;
  /** Waits until the client has sent `count` messages. */
  received(count: number): Promise<ClientMessage[]>;
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
    send: say,
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
    received: (count) => until(() => (messages.length >= count ? messages : undefined)),
  };
}

/** Waits for a value that is not undefined; fails after two seconds. */
export async function until<Value>(look: () => Value | undefined): Promise<Value> {
  const end = performance.now() + 2000;
  for (;;) {
    const value = look();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error('The value did not appear within two seconds.');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

export { WebSocket };
