import { randomBytes } from 'node:crypto';
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientMessage, ServerMessage } from '@wcc/progress/protocol';
import { subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

const pollIntervalMs = 5;

/** One handshake of the client under test. */
export interface Handshake {
  atMs: number;
  /** The offered ticket; `null` if there was none, or `wcc.v1` was not offered. */
  ticket: string | null;
  refuse(status: number): void;
  accept(): Promise<ScriptedSocket>;
}

/** Polls `look` until `look` returns a value. `what` names the awaited value in the error. */
type WaitFor = <T>(look: () => T | null | undefined, what: string) => Promise<T>;

/** The server of a scripted session: issues tickets and passes every handshake to the script. */
export class ScriptedServer {
  readonly tickets: Set<string> = new Set();
  readonly handshakes: Handshake[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => subprotocol });
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
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
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

  /** Waits for the next handshake that the script has not handled. */
  nextHandshake(): Promise<Handshake> {
    return this.waitFor(() => this.handshakes.shift(), 'the client to connect');
  }

  /** @throws {Error} if the value does not appear within `stepMs` */
  readonly waitFor: WaitFor = async (look, what) => {
    const endsAtMs = performance.now() + this.#stepMs;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined) return found;
      if (this.#isClosed) throw new Error('the session was closed');
      if (performance.now() > endsAtMs) throw new Error(`waited ${this.#stepMs} ms for ${what}`);
      await sleep(pollIntervalMs);
    }
  };

  #issue(): { ticket: string; expiresInS: number } {
    const ticket = randomBytes(32).toString('base64url');
    this.tickets.add(ticket);
    return { ticket, expiresInS: 30 };
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined); // the client may disconnect during the handshake
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const ticket = offered.find((each) => each.startsWith(ticketPrefix))?.slice(ticketPrefix.length);
    this.handshakes.push({
      atMs: performance.now(),
      ticket: offered.includes(subprotocol) ? (ticket ?? null) : null,
      refuse: (status) =>
        void socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`),
      accept: () =>
        new Promise((resolve) => {
          this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
            resolve(new ScriptedSocket(webSocket, this.waitFor)),
          );
        }),
    });
  }
}

/** A socket to the client under test. */
export class ScriptedSocket {
  readonly #socket: WebSocket;
  readonly #waitFor: WaitFor;
  readonly #received: ClientMessage[] = [];
  readonly #pongs: string[] = [];
  #isClosed = false;

  constructor(socket: WebSocket, waitFor: WaitFor) {
    this.#socket = socket;
    this.#waitFor = waitFor;
    socket.on('message', (data: Buffer) => this.#received.push(JSON.parse(data.toString()) as ClientMessage));
    socket.on('pong', (payload) => this.#pongs.push(payload.toString()));
    socket.on('close', () => (this.#isClosed = true));
    socket.on('error', () => undefined); // `close` follows
  }

  /** Sends a message. `weather` stands for a type of a later protocol version. */
  send(message: ServerMessage | { t: 'weather'; wind: string }): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Waits for the client's next `sub`. */
  async subscription(): Promise<Extract<ClientMessage, { t: 'sub' }>> {
    return this.#waitFor(() => {
      const message = this.#received.shift();
      return message?.t === 'sub' ? message : undefined;
    }, 'the client to subscribe');
  }

  /** Sends a Ping and waits for its Pong, unless the client has disconnected. */
  async ping(payload: string): Promise<void> {
    this.#socket.ping(payload);
    await this.#waitFor(
      () => (this.#isClosed || this.#pongs.includes(payload) ? true : null),
      `the Pong "${payload}"`,
    );
  }

  /** Ends the connection without a close frame, like a failing network. */
  cut(): void {
    this.#socket.terminate();
  }

  close(code: number): void {
    this.#socket.close(code);
  }
}
