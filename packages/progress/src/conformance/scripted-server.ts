import { randomBytes } from 'node:crypto';
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientMessage, ServerMessage } from '@wcc/progress';
import { SUBPROTOCOL, TICKET_PREFIX } from '@wcc/progress';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

const recheckMs = 5;

/** One handshake of the client under test. */
export interface Attempt {
  atMs: number;
  /** What it offered, without `wcc.v1`; `null` when there was none, or no `wcc.v1`. */
  ticket: string | null;
  refuse(status: number): void;
  accept(): Promise<Line>;
}

/** What waits, and how to look for it. */
type Look = <T>(look: () => T | null | undefined, what: string) => Promise<T>;

/** Where a scripted server plays: it issues tickets, and hands every handshake to the script. */
export class Stage {
  readonly tickets: Set<string> = new Set();
  readonly attempts: Attempt[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL });
  readonly #stepMs: number;
  #isClosed = false;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
    this.#server = createServer((request, response) => {
      request.resume();
      const isTicket = request.method === 'POST' && request.url === '/api/ws-tickets';
      response.writeHead(isTicket ? 201 : 404, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      response.end(JSON.stringify(isTicket ? this.#issue() : { code: 'not_found' }));
    });
    this.#server.on('upgrade', (request, socket, head) => this.#meet(request, socket, head));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The next handshake that the script has not seen. */
  attempt(): Promise<Attempt> {
    return this.look(() => this.attempts.shift(), 'the client to connect');
  }

  /** @throws {Error} when it does not come within a step */
  readonly look: Look = async (look, what) => {
    const endsAtMs = performance.now() + this.#stepMs;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined) return found;
      if (this.#isClosed) throw new Error('the session was closed');
      if (performance.now() > endsAtMs) throw new Error(`waited ${this.#stepMs} ms for ${what}`);
      await sleep(recheckMs);
    }
  };

  #issue(): { ticket: string; expiresInS: number } {
    const ticket = randomBytes(32).toString('base64url');
    this.tickets.add(ticket);
    return { ticket, expiresInS: 30 };
  }

  #meet(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined); // a client that goes away in the middle ends its own attempt
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const ticket = offered.find((each) => each.startsWith(TICKET_PREFIX))?.slice(TICKET_PREFIX.length);
    this.attempts.push({
      atMs: performance.now(),
      ticket: offered.includes(SUBPROTOCOL) ? (ticket ?? null) : null,
      refuse: (status) =>
        void socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`),
      accept: () =>
        new Promise((resolve) => {
          this.#sockets.handleUpgrade(request, socket, head, (line) => resolve(new Line(line, this.look)));
        }),
    });
  }
}

/** A socket to the client under test. */
export class Line {
  readonly #socket: WebSocket;
  readonly #look: Look;
  readonly #heard: ClientMessage[] = [];
  readonly #pongs: string[] = [];
  #isClosed = false;

  constructor(socket: WebSocket, look: Look) {
    this.#socket = socket;
    this.#look = look;
    socket.on('message', (data: Buffer) => this.#heard.push(JSON.parse(data.toString()) as ClientMessage));
    socket.on('pong', (payload) => this.#pongs.push(payload.toString()));
    socket.on('close', () => (this.#isClosed = true));
    socket.on('error', () => undefined); // `close` follows
  }

  /** Also messages of a later version, with fields and types that no client knows yet. */
  send(message: ServerMessage | { t: 'weather'; wind: string }): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The next message of the client that is a `sub`. */
  async subscription(): Promise<Extract<ClientMessage, { t: 'sub' }>> {
    return this.#look(() => {
      const message = this.#heard.shift();
      return message?.t === 'sub' ? message : undefined;
    }, 'the client to subscribe');
  }

  /** Pings, and waits for the Pong with the same payload, unless the client has left. */
  async ping(payload: string): Promise<void> {
    this.#socket.ping(payload);
    await this.#look(
      () => (this.#isClosed || this.#pongs.includes(payload) ? true : null),
      `the Pong "${payload}"`,
    );
  }

  /** As a network that fails: no close frame. */
  cut(): void {
    this.#socket.terminate();
  }

  close(code: number): void {
    this.#socket.close(code);
  }
}
