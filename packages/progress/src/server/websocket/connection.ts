import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { ClientMessage, CloseCode, Limits, SnapshotView } from '@wcc/progress';
import { CLOSE_CODES, PROTOCOL_VERSION } from '@wcc/progress';
import type { RawData, WebSocket } from 'ws';
import type { Hub } from '../hub.ts';
import type { OnError } from '../on-error.ts';
import type { Access } from './access.ts';
import { createSendWindow } from './send-window.ts';
import type { SendWindow } from './send-window.ts';
import type { SentCount } from '../stats.ts';
import { createRateLimit, parseClientMessage } from './inbound.ts';
import type { RateLimit } from './inbound.ts';
import { textFrame, textMessage } from './messages.ts';
import type { WatchIdentity } from './options.ts';
import type { WatchIndex } from './watch-index.ts';
import { Watchlist } from './watchlist.ts';

/** Shared by all connections of one gateway. */
export interface GatewayContext<P> {
  hub: Hub;
  access: Access<P>;
  limits: Limits;
  index: WatchIndex<Connection<P>>;
  onError: OnError;
  identify(principal: P): WatchIdentity;
  view(principal: P): SnapshotView;
  /** Counts what all connections have sent. */
  sent: SentCount;
  authenticate(request: IncomingMessage, ticket: string): Promise<P | null>;
  closed(connection: Connection<P>): void;
}

export interface ConnectionOptions<P> {
  socket: WebSocket;
  request: IncomingMessage;
  principal: P;
  context: GatewayContext<P>;
}

/** A client that does not answer the close frame is terminated after this time. */
const closeGraceMs = 1000;

/** A frozen copy, so that later changes by the host have no effect. */
function freeze<P>(principal: P): P {
  if (typeof principal !== 'object' || principal === null) return principal;
  const copy: object = Object.assign(
    Object.create(Object.getPrototypeOf(principal) as object | null),
    principal,
  );
  return Object.freeze(copy) as P;
}

/**
 * One socket, bound to the principal authenticated before its upgrade.
 *
 * States: `open` → `closing` (nothing is sent or processed; terminated after 1 s) → closed.
 */
export class Connection<P> {
  readonly id: string = randomBytes(9).toString('base64url');
  readonly sendWindow: SendWindow;
  readonly watchlist: Watchlist<P>;
  readonly #socket: WebSocket;
  readonly #request: IncomingMessage;
  readonly #context: GatewayContext<P>;
  readonly #rate: RateLimit;
  #principal: P;
  #identity: WatchIdentity;
  #authorizedAtMs = performance.now();
  #closing = false;
  /** Settles when all messages received so far are answered, in order. */
  #lastAnswer: Promise<void> = Promise.resolve();
  #unanswered = 0;

  constructor(options: ConnectionOptions<P>) {
    const { socket, context } = options;
    this.#socket = socket;
    this.#request = options.request;
    this.#context = context;
    this.#principal = freeze(options.principal);
    this.#identity = Object.freeze({ ...context.identify(this.#principal) });
    this.#rate = createRateLimit(context.limits);
    this.sendWindow = this.#createSendWindow();
    this.watchlist = new Watchlist({
      hub: context.hub,
      access: context.access,
      sendWindow: this.sendWindow,
      limits: context.limits,
      principal: () => this.#principal,
      user: this.#identity.user,
      view: context.view(this.#principal),
      join: (id) => context.index.join(id, this),
      leave: (id) => context.index.leave(id, this),
    });
    this.#listen();
    this.#sendHello();
  }

  get principal(): P {
    return this.#principal;
  }

  get isOpen(): boolean {
    return !this.#closing;
  }

  /** Sends the close frame; nothing is sent after it. */
  close(code: CloseCode): void {
    if (this.#closing) return;
    this.#stop();
    this.#socket.close(code);
    const timer = setTimeout(() => this.#socket.terminate(), closeGraceMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Sends `bye` and closes. @param ms wait before the client reconnects */
  sendBye(ms: number): void {
    if (this.#closing) return;
    this.sendWindow.send(textMessage({ t: 'bye', code: CLOSE_CODES.shutdown, ms }));
    this.close(CLOSE_CODES.shutdown);
  }

  /** Checks the rights to all watched operations again. */
  reauthorize(): void {
    if (this.#closing) return;
    this.#authorizedAtMs = performance.now();
    this.watchlist.reauthorize();
    this.sendWindow.flush();
  }

  /** Runs the checks that depend on time. */
  check(nowMs: number): void {
    const { limits } = this.#context;
    const { expiresAtMs } = this.#identity;
    const awaitingSinceMs = this.sendWindow.awaitingSinceMs();
    if (expiresAtMs !== null && Date.now() >= expiresAtMs) return this.close(CLOSE_CODES.sessionEnded);
    if (awaitingSinceMs !== null && nowMs - awaitingSinceMs >= limits.pongMs)
      return this.close(CLOSE_CODES.noPong);
    if (nowMs - this.#authorizedAtMs >= limits.reauthorizeMs) this.reauthorize();
    if (nowMs - this.sendWindow.lastSentAtMs() < limits.heartbeatMs) return;
    this.sendWindow.send(textMessage({ t: 'hb', now: Date.now() }));
    // A page cannot see a Ping. Without one a half-open idle socket would never be detected.
    if (!this.#closing) this.sendWindow.probe();
  }

  #createSendWindow(): SendWindow {
    const socket = this.#socket;
    // Without compression and fragments `ws` writes each frame in one piece, so our frames fit between its own.
    const wire = this.#request.socket;
    return createSendWindow(
      {
        send: (data) => {
          if (this.#closing) return;
          if (typeof data === 'string') socket.send(data);
          // Nothing may follow a close frame.
          else if (socket.readyState === socket.OPEN) wire.write(textFrame(data));
          this.#context.sent.messages += 1;
          this.#context.sent.bytes += Buffer.byteLength(data);
        },
        ping: (payload) => this.#closing || socket.ping(payload),
        sendTogether: (sends) => {
          wire.cork();
          sends();
          wire.uncork();
        },
        bufferedBytes: () => socket.bufferedAmount,
        overflow: () => {
          this.#stop();
          socket.terminate();
        },
        now: () => performance.now(),
      },
      this.#context.limits,
    );
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', (payload) => {
      // An expected Pong is free; others count against the rate limit.
      if (!this.#closing && !this.sendWindow.pong(payload.toString())) this.#takeToken();
    });
    socket.on('ping', () => void this.#takeToken());
    // A protocol error of the peer ends only its own socket, with a code that `ws` chooses; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#stop();
      this.#context.closed(this);
    });
  }

  #sendHello(): void {
    const { hub, limits } = this.#context;
    this.sendWindow.send(
      textMessage({
        t: 'hello',
        v: PROTOCOL_VERSION,
        conn: this.id,
        epoch: hub.epoch,
        hb: limits.heartbeatMs / 1000,
        limits: { msg: limits.messageBytes, subs: limits.subscriptions, hz: 10 },
        exp: this.#identity.expiresAtMs,
      }),
    );
  }

  #stop(): void {
    this.#closing = true;
    this.watchlist.clear();
    this.#context.index.lists.delete(this);
  }

  /** Counts a message against the rate limit. @returns false if the limit is exceeded and the socket closes */
  #takeToken(): boolean {
    if (this.#closing) return false;
    if (this.#rate.take(performance.now()) && this.#unanswered < this.#context.limits.messageBurst)
      return true;
    this.sendWindow.send(
      textMessage({ t: 'err', id: null, code: 'rate', retry: true, ms: this.#rate.refillMs() }),
    );
    this.close(CLOSE_CODES.rate);
    return false;
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!this.#takeToken()) return;
    if (isBinary) return this.close(CLOSE_CODES.binary);
    // With the default `binaryType` the data of `ws` is one Buffer.
    const message = parseClientMessage((data as Buffer).toString(), this.#context.limits);
    if (message === null) return this.close(CLOSE_CODES.malformed);
    this.#unanswered += 1;
    this.#lastAnswer = this.#lastAnswer.then(() => this.#answer(message));
  }

  async #answer(message: ClientMessage): Promise<void> {
    try {
      if (!this.#closing) await this.#dispatch(message);
    } catch (error) {
      this.#context.onError(error, { stage: message.t });
      if (!this.#closing) {
        this.sendWindow.send(
          textMessage({ t: 'err', id: message.id, code: 'unavailable', retry: true, ms: 1000 }),
        );
      }
    } finally {
      this.#unanswered -= 1;
      if (!this.#closing) this.sendWindow.flush();
    }
  }

  async #dispatch(message: ClientMessage): Promise<void> {
    const { watchlist } = this;
    switch (message.t) {
      case 'sub': {
        if ('list' in message) {
          watchlist.subscribeList(message.id, message.list);
          this.#context.index.lists.add(this);
          return;
        }
        const found = await watchlist.find(message.ops);
        if (!this.#closing) watchlist.subscribe(message.id, message.ops, found);
        return;
      }
      case 'unsub': {
        if ('list' in message) {
          watchlist.unsubscribeList();
          this.#context.index.lists.delete(this);
        } else {
          watchlist.unsubscribe(message.ops);
        }
        return this.sendWindow.send(textMessage({ t: 'ok', id: message.id }));
      }
      case 'refresh':
        return this.#refresh(message.id, message.ticket);
    }
  }

  /** The new principal must be of the same user and session; otherwise the socket keeps its principal. */
  async #refresh(id: number, ticket: string): Promise<void> {
    const principal = await this.#context.authenticate(this.#request, ticket);
    if (this.#closing) return;
    const identity = principal === null ? null : this.#context.identify(principal);
    const { user, session } = this.#identity;
    if (principal === null || identity === null || identity.user !== user || identity.session !== session) {
      return this.sendWindow.send(textMessage({ t: 'err', id, code: 'ticket_refused', retry: false, ms: 0 }));
    }
    this.#principal = freeze(principal);
    this.#identity = Object.freeze({ ...identity });
    this.reauthorize();
    this.sendWindow.send(textMessage({ t: 'ok', id, exp: identity.expiresAtMs }));
  }
}
