import { performance } from 'node:perf_hooks';
import type { ClientMessage, Limits } from '@wcc/progress/protocol';
import { closeCodes } from '@wcc/progress/protocol';
import type { RawData, WebSocket } from 'ws';
import type { OnError } from '../on-error.ts';
import type { Connection } from './connection.ts';
import { createRateLimit, parseClientMessage } from './inbound.ts';
import type { RateLimit } from './inbound.ts';
import { textMessage } from './messages.ts';

export interface SocketInboundOptions<P> {
  socket: WebSocket;
  connection: Connection<P>;
  limits: Limits;
  onError: OnError;
  /** Authenticates the ticket of a `refresh`. */
  authenticate(ticket: string): Promise<P | null>;
}

/** Reads the messages of a socket and answers them in their order, within the rate limit. */
export function listenToSocket<P>(options: SocketInboundOptions<P>): void {
  new SocketInbound(options).listen();
}

class SocketInbound<P> {
  readonly #options: SocketInboundOptions<P>;
  readonly #rate: RateLimit;
  /** Settles when all messages received so far are answered, in order. */
  #lastAnswer: Promise<void> = Promise.resolve();
  #unanswered = 0;

  constructor(options: SocketInboundOptions<P>) {
    this.#options = options;
    this.#rate = createRateLimit(options.limits);
  }

  listen(): void {
    const { socket, connection } = this.#options;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', (payload) => {
      // An expected Pong is free; others count against the rate limit.
      if (connection.isOpen && !connection.sendWindow.pong(payload.toString())) this.#takeToken();
    });
    socket.on('ping', () => void this.#takeToken());
    // A protocol error of the peer ends only its own socket, with a code that `ws` chooses; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => connection.closed());
  }

  /** Counts a message against the rate limit. @returns false if the limit is exceeded and the socket closes */
  #takeToken(): boolean {
    const { connection, limits } = this.#options;
    if (!connection.isOpen) return false;
    if (this.#rate.take(performance.now()) && this.#unanswered < limits.messageBurst) return true;
    connection.sendWindow.send(
      textMessage({ t: 'err', id: null, code: 'rate', retry: true, ms: this.#rate.refillMs() }),
    );
    connection.close(closeCodes.rate);
    return false;
  }

  #receive(data: RawData, isBinary: boolean): void {
    const { connection, limits } = this.#options;
    if (!this.#takeToken()) return;
    if (isBinary) return connection.close(closeCodes.binary);
    // With the default `binaryType` the data of `ws` is one Buffer.
    const message = parseClientMessage((data as Buffer).toString(), limits);
    if (message === null) return connection.close(closeCodes.malformed);
    this.#unanswered += 1;
    this.#lastAnswer = this.#lastAnswer.then(() => this.#answer(message));
  }

  async #answer(message: ClientMessage): Promise<void> {
    const { connection, onError } = this.#options;
    try {
      if (connection.isOpen) await this.#dispatch(message);
    } catch (error) {
      onError(error, { stage: message.t });
      if (connection.isOpen) {
        connection.sendWindow.send(
          textMessage({ t: 'err', id: message.id, code: 'unavailable', retry: true, ms: 1000 }),
        );
      }
    } finally {
      this.#unanswered -= 1;
      if (connection.isOpen) connection.sendWindow.flush();
    }
  }

  async #dispatch(message: ClientMessage): Promise<void> {
    const { connection } = this.#options;
    switch (message.t) {
      case 'sub':
        return connection.subscribe(message);
      case 'unsub':
        return connection.unsubscribe(message);
      case 'refresh': {
        const principal = await this.#options.authenticate(message.ticket);
        if (connection.isOpen) connection.refresh(message.id, principal);
      }
    }
  }
}
