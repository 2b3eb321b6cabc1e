import type { ListScope, Rights } from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { Connection } from './connection.ts';
import type { ConnectionStatus } from './connection.ts';
import type { WatchListener } from './snapshot-cache.ts';
import type { TicketRequest } from './link.ts';
import { createPageSignals } from './page-signals.ts';
import type { PageSignals } from './page-signals.ts';
import type { SocketConstructor } from './socket.ts';
import { Subscriptions } from './subscriptions.ts';
import type { GoneListener } from './subscriptions.ts';
import { defaultTiming } from './timing.ts';
import type { Timing } from './timing.ts';

export interface ConnectOptions {
  /**
   * Asked before every attempt: a single-use ticket, or `null` when nobody is signed in. A rejection counts
   * as a failed attempt; `signal` aborts when the attempt is given up. Leave it out where the socket authenticates otherwise (a program's bearer header).
   */
  ticket?: TicketRequest;
  /** @default globalThis.WebSocket; Node 20 has none, pass the one of `ws` there */
  WebSocket?: SocketConstructor;
  /** Monotonic clock in milliseconds. @default performance.now */
  now?: () => number;
  /** 0 ≤ n < 1. @default Math.random */
  random?: () => number;
  /** Shortens the protocol's timers; for tests. */
  timing?: Partial<Timing>;
  /** Visibility and wake-ups. @default those of the page, where there is one */
  page?: PageSignals;
  /** A listener threw, or the server refused a subscription. @default reportError, where there is one, else thrown in a task of its own */
  onError?: (error: unknown) => void;
}

/** A live view of operations that survives lost connections, restarted servers and sleeping laptops. */
export interface ProgressClient {
  readonly status: ConnectionStatus;
  onStatus(listener: (status: ConnectionStatus) => void): () => void;
  /**
   * Calls with the last known snapshot at once, then with every newer one, and with the same one again only when
   * the rights changed. Returns how to stop.
   */
  watch(id: string, listener: WatchListener): () => void;
  /** The same for all operations that run or ended in the last ten minutes, and for new ones. */
  watchAll(scope: ListScope, listener: WatchListener): () => void;
  /** The server took an operation away from this view, or no longer knows it. */
  onGone(listener: GoneListener): () => void;
  get(id: string): Snapshot | undefined;
  /** Puts in a snapshot that came by HTTP; an older one changes nothing. */
  offer(snapshot: Snapshot, may?: Rights): void;
  /** Attempts at once (after signing in, or when the user asks); checks a connection that stands. */
  reconnectNow(): void;
  close(): void;
}

/**
 * Connects to a `wcc.v1` socket and keeps connected.
 *
 * @param url `wss://host/api/ws`, or a path on the page's own host
 */
export function connect(url: string, options: ConnectOptions): ProgressClient {
  const listeners = new Set<(status: ConnectionStatus) => void>();
  const onError = options.onError ?? raise;
  const subscriptions = new Subscriptions({
    send: (message) => connection.send(message),
    isUp: () => isUp,
    onError,
  });
  let isUp = false;
  const connection = new Connection({
    url: absolute(url),
    WebSocket: options.WebSocket ?? globalThis.WebSocket,
    ticket: options.ticket,
    timing: { ...defaultTiming, ...options.timing },
    now: options.now ?? (() => performance.now()),
    random: options.random ?? Math.random,
    page: options.page ?? createPageSignals(),
    onUp: (hello) => {
      isUp = true;
      subscriptions.resume(hello.epoch);
    },
    onMessage: (message) => subscriptions.receive(message),
    onStatus: () => {
      isUp = connection.isUp;
      for (const listener of listeners) listener(connection.status);
    },
  });
  connection.reconnectNow();
  return {
    get status() {
      return connection.status;
    },
    onStatus: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    watch: (id, listener) => subscriptions.watch(id, listener),
    watchAll: (scope, listener) => subscriptions.watchAll(scope, listener),
    onGone: (listener) => subscriptions.onGone(listener),
    get: (id) => subscriptions.held.get(id),
    offer: (snapshot, may) => subscriptions.offer(snapshot, may),
    reconnectNow: () => connection.reconnectNow(),
    close: () => {
      subscriptions.close();
      connection.close();
    },
  };
}

/** Browsers take relative WebSocket addresses since 2023 only. */
function absolute(url: string): string {
  if (typeof location === 'undefined') return url;
  return new URL(url, location.href).href.replace(/^http/, 'ws');
}

function raise(error: unknown): void {
  if (typeof reportError === 'function') return reportError(error);
  setTimeout(() => {
    throw error;
  });
}
