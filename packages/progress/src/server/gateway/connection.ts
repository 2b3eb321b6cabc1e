import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type {
  CloseCode,
  Limits,
  SnapshotView,
  SubscribeList,
  SubscribeOps,
  Unsubscribe,
  UnsubscribeList,
} from '@wcc/progress/protocol';
import { closeCodes, protocolVersion } from '@wcc/progress/protocol';
import type { Hub } from '../hub.ts';
import type { OnError } from '../on-error.ts';
import type { SentCount } from '../stats.ts';
import type { Access } from './access.ts';
import { textMessage } from './messages.ts';
import type { WatchIdentity } from './options.ts';
import { createSendWindow } from './send-window.ts';
import type { SendWindow } from './send-window.ts';
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
  closed(connection: Connection<P>): void;
}

/** What carries the messages of a connection: a WebSocket, or one long HTTP response. */
export interface Wire {
  send(data: Buffer | string): void;
  /** Asks for a `pong` when the client, or at least this process, has passed on everything sent before. */
  ping(payload: string): void;
  /** Combines the sends into one write, because system calls are the main cost of a watcher. */
  sendTogether(sends: () => void): void;
  bufferedBytes(): number;
  /** Closes after the last message; nothing is sent after it. */
  close(code: CloseCode): void;
  /** Closes without waiting for the client. */
  terminate(): void;
}

export interface ConnectionOptions<P> {
  wire: Wire;
  principal: P;
  context: GatewayContext<P>;
}

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
 * One watcher, bound to the principal that was authenticated before its first message.
 *
 * States: `open` → `closing` (nothing is sent or processed) → closed.
 */
export class Connection<P> {
  readonly id: string = randomBytes(9).toString('base64url');
  readonly sendWindow: SendWindow;
  readonly watchlist: Watchlist<P>;
  readonly #wire: Wire;
  readonly #context: GatewayContext<P>;
  #principal: P;
  #identity: WatchIdentity;
  #authorizedAtMs = performance.now();
  #closing = false;

  constructor({ wire, principal, context }: ConnectionOptions<P>) {
    this.#wire = wire;
    this.#context = context;
    this.#principal = freeze(principal);
    this.#identity = Object.freeze({ ...context.identify(this.#principal) });
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
  }

  get principal(): P {
    return this.#principal;
  }

  get user(): string {
    return this.#identity.user;
  }

  get isOpen(): boolean {
    return !this.#closing;
  }

  /** Sends `hello`, the first message. */
  open(): void {
    const { hub, limits } = this.#context;
    this.sendWindow.send(
      textMessage({
        t: 'hello',
        v: protocolVersion,
        conn: this.id,
        epoch: hub.epoch,
        hb: limits.heartbeatMs / 1000,
        limits: { msg: limits.messageBytes, subs: limits.subscriptions, hz: 10 },
        exp: this.#identity.expiresAtMs,
      }),
    );
  }

  /** Nothing is sent after this call. */
  close(code: CloseCode): void {
    if (this.#closing) return;
    this.#stop();
    this.#wire.close(code);
  }

  /** The wire is closed. */
  closed(): void {
    this.#stop();
    this.#context.closed(this);
  }

  /** Sends `bye` and closes. @param ms wait before the client reconnects */
  sendBye(ms: number): void {
    if (this.#closing) return;
    this.sendWindow.send(textMessage({ t: 'bye', code: closeCodes.shutdown, ms }));
    this.close(closeCodes.shutdown);
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
    if (expiresAtMs !== null && Date.now() >= expiresAtMs) return this.close(closeCodes.sessionEnded);
    if (awaitingSinceMs !== null && nowMs - awaitingSinceMs >= limits.pongMs)
      return this.close(closeCodes.noPong);
    if (nowMs - this.#authorizedAtMs >= limits.reauthorizeMs) this.reauthorize();
    if (nowMs - this.sendWindow.lastSentAtMs() < limits.heartbeatMs) return;
    this.sendWindow.send(textMessage({ t: 'hb', now: Date.now() }));
    // A page cannot see a Ping. Without one a half-open idle socket would never be detected.
    if (!this.#closing) this.sendWindow.probe();
  }

  /** Answers a `sub`. Its snapshots follow with the next flush. */
  async subscribe(message: SubscribeOps | SubscribeList): Promise<void> {
    if ('list' in message) {
      this.watchlist.subscribeList(message.id, message.list);
      this.#context.index.lists.add(this);
      return;
    }
    const found = await this.watchlist.find(message.ops);
    if (!this.#closing) this.watchlist.subscribe(message.id, message.ops, found);
  }

  /** Answers an `unsub`. */
  unsubscribe(message: Unsubscribe | UnsubscribeList): void {
    if ('list' in message) {
      this.watchlist.unsubscribeList();
      this.#context.index.lists.delete(this);
    } else {
      this.watchlist.unsubscribe(message.ops);
    }
    this.sendWindow.send(textMessage({ t: 'ok', id: message.id }));
  }

  /** Answers a `refresh`. Only a principal of the same user and session replaces the current one. */
  refresh(id: number, principal: P | null): void {
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

  #createSendWindow(): SendWindow {
    const { limits, sent } = this.#context;
    const wire = this.#wire;
    return createSendWindow(
      {
        send: (data) => {
          if (this.#closing) return;
          wire.send(data);
          sent.messages += 1;
          sent.bytes += Buffer.byteLength(data);
        },
        ping: (payload) => this.#closing || wire.ping(payload),
        sendTogether: (sends) => wire.sendTogether(sends),
        bufferedBytes: () => wire.bufferedBytes(),
        overflow: () => {
          this.#stop();
          wire.terminate();
        },
        now: () => performance.now(),
      },
      limits,
    );
  }

  #stop(): void {
    this.#closing = true;
    this.watchlist.clear();
    this.#context.index.lists.delete(this);
  }
}
