import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { ClientMessage, CloseCode, Limits, SnapshotView } from '@wcc/progress';
import { CLOSE_CODES, PROTOCOL_VERSION } from '@wcc/progress';
import type { RawData, WebSocket } from 'ws';
import type { Hub } from '../hub.ts';
import type { OnError } from '../on-error.ts';
import type { Access } from './access.ts';
import { createFlow } from './send-window.ts';
import type { Flow } from './send-window.ts';
import type { SentCount } from '../stats.ts';
import { createRateLimit, parseClientMessage } from './inbound.ts';
import type { RateLimit } from './inbound.ts';
import { textFrame, textMessage } from './messages.ts';
import type { WatchIdentity } from './options.ts';
import type { WatchIndex } from './watch-index.ts';
import { Watchlist } from './watchlist.ts';

/** What all connections of one gateway share. */
export interface GatewayContext<P> {
  hub: Hub;
  access: Access<P>;
  limits: Limits;
  index: WatchIndex<Connection<P>>;
  onError: OnError;
  identify(principal: P): WatchIdentity;
  view(principal: P): SnapshotView;
  /** Counts what all connections send. */
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

/** A client that does not answer a close is cut after this time. */
const closeGraceMs = 1000;

/** A copy that nobody can change any more, whatever the host does with its own. */
function freeze<P>(principal: P): P {
  if (typeof principal !== 'object' || principal === null) return principal;
  const copy: object = Object.assign(
    Object.create(Object.getPrototypeOf(principal) as object | null),
    principal,
  );
  return Object.freeze(copy) as P;
}

/**
 * One socket, bound to the principal that was authenticated before its upgrade.
 *
 * `open` → `closing` (nothing more is sent or heard; cut after 1 s) → closed.
 */
export class Connection<P> {
  readonly id: string = randomBytes(9).toString('base64url');
  readonly flow: Flow;
  readonly watchlist: Watchlist<P>;
  readonly #socket: WebSocket;
  readonly #request: IncomingMessage;
  readonly #context: GatewayContext<P>;
  readonly #rate: RateLimit;
  #principal: P;
  #identity: WatchIdentity;
  #authorizedAtMs = performance.now();
  #closing = false;
  /** Messages are answered one after the other, in the order they came. */
  #answering: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: ConnectionOptions<P>) {
    const { socket, context } = options;
    this.#socket = socket;
    this.#request = options.request;
    this.#context = context;
    this.#principal = freeze(options.principal);
    this.#identity = Object.freeze({ ...context.identify(this.#principal) });
    this.#rate = createRateLimit(context.limits);
    this.flow = this.#createFlow();
    this.watchlist = new Watchlist({
      hub: context.hub,
      access: context.access,
      flow: this.flow,
      limits: context.limits,
      principal: () => this.#principal,
      user: this.#identity.user,
      view: context.view(this.#principal),
      join: (id) => context.index.join(id, this),
      leave: (id) => context.index.leave(id, this),
    });
    this.#listen();
    this.#greet();
  }

  get principal(): P {
    return this.#principal;
  }

  get isOpen(): boolean {
    return !this.#closing;
  }

  /** Nothing more is sent from here on, least of all a snapshot. */
  close(code: CloseCode): void {
    if (this.#closing) return;
    this.#stop();
    this.#socket.close(code);
    const timer = setTimeout(() => this.#socket.terminate(), closeGraceMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** @param ms the client comes back after so long */
  sayBye(ms: number): void {
    if (this.#closing) return;
    this.flow.say(textMessage({ t: 'bye', code: CLOSE_CODES.shutdown, ms }));
    this.close(CLOSE_CODES.shutdown);
  }

  reauthorize(): void {
    if (this.#closing) return;
    this.#authorizedAtMs = performance.now();
    this.watchlist.reauthorize();
    this.flow.flush();
  }

  /** Whatever is due by the clock. */
  check(nowMs: number): void {
    const { limits } = this.#context;
    const { expiresAtMs } = this.#identity;
    const awaitingSinceMs = this.flow.awaitingSinceMs();
    if (expiresAtMs !== null && Date.now() >= expiresAtMs) return this.close(CLOSE_CODES.sessionEnded);
    if (awaitingSinceMs !== null && nowMs - awaitingSinceMs >= limits.pongMs)
      return this.close(CLOSE_CODES.noPong);
    if (nowMs - this.#authorizedAtMs >= limits.reauthorizeMs) this.reauthorize();
    if (nowMs - this.flow.lastSentAtMs() < limits.heartbeatMs) return;
    this.flow.say(textMessage({ t: 'hb', now: Date.now() }));
    // A page cannot see a Ping, and without one a half-open idle socket would never be found.
    if (!this.#closing) this.flow.probe();
  }

  #createFlow(): Flow {
    const socket = this.#socket;
    // Without compression and fragments `ws` writes each of its frames whole and at once: ours fit between.
    const wire = this.#request.socket;
    return createFlow(
      {
        send: (data) => {
          if (this.#closing) return;
          if (typeof data === 'string') socket.send(data);
          // Not between `ws` and its close frame: after that nothing may follow.
          else if (socket.readyState === socket.OPEN) wire.write(textFrame(data));
          this.#context.sent.messages += 1;
          this.#context.sent.bytes += Buffer.byteLength(data);
        },
        ping: (payload) => this.#closing || socket.ping(payload),
        together: (sends) => {
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
    socket.on('message', (data, isBinary) => this.#hear(data, isBinary));
    socket.on('pong', (payload) => {
      // An awaited Pong costs nothing; others would be a flood for free.
      if (!this.#closing && !this.flow.pong(payload.toString())) this.#spend();
    });
    socket.on('ping', () => void this.#spend());
    // What a peer does wrong ends its own socket, with a code that `ws` chooses; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#stop();
      this.#context.closed(this);
    });
  }

  #greet(): void {
    const { hub, limits } = this.#context;
    this.flow.say(
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

  /** @returns whether the client may send this one */
  #spend(): boolean {
    if (this.#closing) return false;
    if (this.#rate.take(performance.now()) && this.#waiting < this.#context.limits.messageBurst) return true;
    this.flow.say(textMessage({ t: 'err', id: null, code: 'rate', retry: true, ms: this.#rate.refillMs() }));
    this.close(CLOSE_CODES.rate);
    return false;
  }

  #hear(data: RawData, isBinary: boolean): void {
    if (!this.#spend()) return;
    if (isBinary) return this.close(CLOSE_CODES.binary);
    // `ws` hands over one Buffer as long as nobody sets another binaryType.
    const message = parseClientMessage((data as Buffer).toString(), this.#context.limits);
    if (message === null) return this.close(CLOSE_CODES.malformed);
    this.#waiting += 1;
    this.#answering = this.#answering.then(() => this.#answer(message));
  }

  async #answer(message: ClientMessage): Promise<void> {
    try {
      if (!this.#closing) await this.#obey(message);
    } catch (error) {
      this.#context.onError(error, { stage: message.t });
      if (!this.#closing) {
        this.flow.say(textMessage({ t: 'err', id: message.id, code: 'unavailable', retry: true, ms: 1000 }));
      }
    } finally {
      this.#waiting -= 1;
      if (!this.#closing) this.flow.flush();
    }
  }

  async #obey(message: ClientMessage): Promise<void> {
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
        return this.flow.say(textMessage({ t: 'ok', id: message.id }));
      }
      case 'refresh':
        return this.#refresh(message.id, message.ticket);
    }
  }

  /** Another session, of the same user too, is another socket: this one keeps who it is. */
  async #refresh(id: number, ticket: string): Promise<void> {
    const principal = await this.#context.authenticate(this.#request, ticket);
    if (this.#closing) return;
    const identity = principal === null ? null : this.#context.identify(principal);
    const { user, session } = this.#identity;
    if (principal === null || identity === null || identity.user !== user || identity.session !== session) {
      return this.flow.say(textMessage({ t: 'err', id, code: 'ticket_refused', retry: false, ms: 0 }));
    }
    this.#principal = freeze(principal);
    this.#identity = Object.freeze({ ...identity });
    this.reauthorize();
    this.flow.say(textMessage({ t: 'ok', id, exp: identity.expiresAtMs }));
  }
}
