import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { ClientMessage, ServerMessage } from '../core/protocol.ts';

/** A server on real sockets and streams that sends only what the test sends. */
export interface ScriptedServer {
  readonly url: string;
  /** What an upgrade meets; `hang`: a proxy that accepts the connection and forwards nothing. */
  upgrades: 'accept' | 'refuse' | 'hang';
  /** Number of upgrades, those that failed included. */
  readonly upgradeCount: number;
  /** Answers of other requests than those of streams, by path; 404 for others. */
  readonly answers: Record<string, { status: number; body?: unknown }>;
  /** Requests other than those of streams: method and path, with its authorization if it has one. */
  readonly requests: string[];
  /** The status of event streams. @default 200 */
  streamStatus: number;
  /** Streams in the order of their requests. */
  readonly streams: StreamPeer[];
  /** Waits for the stream with this number, starting at 1. */
  stream(number: number): Promise<StreamPeer>;
  /** Sockets in the order of their connections. */
  readonly peers: Peer[];
  /** Waits for the connection with this number, starting at 1. */
  peer(number: number): Promise<Peer>;
  close(): Promise<void>;
}

export interface StreamPeer {
  /** The subscriptions in the body. */
  readonly subscriptions: ClientMessage[];
  readonly headers: IncomingHttpHeaders;
  readonly isClosed: boolean;
  hello(epoch: string): void;
  send(message: ServerMessage): void;
  /** Sends bytes as they are. */
  write(bytes: Uint8Array): void;
  /** Ends the response, as a server does. */
  end(): void;
  /** Cuts the connection, as a proxy does. */
  cut(): void;
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
  const http = createServer((request, response) => void answer(request, response));
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'wcc.v1' });
  const peers: Peer[] = [];
  const streams: StreamPeer[] = [];
  const hung: Duplex[] = [];
  let upgradeCount = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (path === '/progress/events') {
      if (server.streamStatus !== 200) return void response.writeHead(server.streamStatus).end();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.push(createStreamPeer({ body, request, response }));
      return;
    }
    const { authorization = '' } = request.headers;
    server.requests.push(`${request.method} ${path} ${authorization}`.trim());
    const known = server.answers[path] ?? { status: 404 };
    response.writeHead(known.status).end(known.body === undefined ? '' : JSON.stringify(known.body));
  }

  http.on('upgrade', (request, raw, head) => {
    upgradeCount += 1;
    raw.on('error', () => undefined);
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    if (server.upgrades === 'hang') hung.push(raw);
    else if (server.upgrades === 'refuse') raw.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    else sockets.handleUpgrade(request, raw, head, (socket) => peers.push(createPeer(socket, offered)));
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  const { port } = http.address() as AddressInfo;
  const server: ScriptedServer = {
    url: `http://127.0.0.1:${port}/progress`,
    upgrades: 'accept',
    get upgradeCount() {
      return upgradeCount;
    },
    answers: { '/progress/ticket': { status: 200, body: { ticket: 'issued' } } },
    requests: [],
    streamStatus: 200,
    streams,
    stream: (number) => until(() => streams[number - 1]),
    peers,
    peer: (number) => until(() => peers[number - 1]),
    close: async () => {
      for (const peer of peers) peer.socket.terminate();
      for (const raw of hung) raw.destroy();
      http.closeAllConnections();
      await new Promise((resolve) => {
        http.close(resolve);
      });
    },
  };
  return server;
}

function createStreamPeer({
  body,
  request,
  response,
}: {
  body: string;
  request: IncomingMessage;
  response: ServerResponse;
}): StreamPeer {
  const send = (message: ServerMessage): void => void response.write(`data: ${JSON.stringify(message)}\n\n`);
  return {
    subscriptions: JSON.parse(body) as ClientMessage[],
    headers: request.headers,
    get isClosed() {
      return response.destroyed;
    },
    hello: (epoch) => send(helloOf(epoch)),
    send,
    write: (bytes) => void response.write(bytes),
    end: () => void response.end(),
    cut: () => void response.destroy(),
  };
}

function helloOf(epoch: string): ServerMessage {
  return { t: 'hello', v: 1, conn: 'c', epoch, hb: 8, limits: { msg: 16_384, subs: 128, hz: 10 }, exp: null };
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
    hello: (epoch) => say(helloOf(epoch)),
    received: (count) => until(() => (messages.length >= count ? messages : undefined)),
  };
}

/** Waits for a value that is not undefined; fails after five seconds. */
export async function until<Value>(look: () => Value | undefined): Promise<Value> {
  const end = performance.now() + 5000;
  for (;;) {
    const value = look();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error('The value did not appear within five seconds.');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

export { WebSocket };
