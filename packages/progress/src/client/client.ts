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

/** Options of {@link connect}. */
export interface ConnectOptions {
  /**
   * Called before every attempt. Returns a single-use ticket, or `null` if the user is not signed in. A rejection
   * counts as a failed attempt; `signal` aborts when the attempt times out. Omit it if the socket authenticates in
   * another way, e.g. with a bearer header.
   */
  ticket?: TicketRequest;
  /** The WebSocket class. Node 20 has none; pass the one of `ws`. @default globalThis.WebSocket */
  WebSocket?: SocketConstructor;
  /** Monotonic clock in milliseconds. @default performance.now */
  now?: () => number;
  /** Returns a number from 0 to below 1. @default Math.random */
  random?: () => number;
  /** Overrides the protocol's timers, for tests. @default those of the protocol */
  timing?: Partial<Timing>;
  /** Visibility and wake-ups. @default those of the page, if there is one */
  page?: PageSignals;
  /** A listener threw, or the server refused a subscription. @default `reportError`; without it the error is thrown in its own task */
  onError?: (error: unknown) => void;
}

/** A live view of operations. It reconnects after lost connections, server restarts and sleep. */
export interface ProgressClient {
  readonly status: ConnectionStatus;
  /** Calls the listener at every change of the status. @returns a function that stops it */
  onStatus(listener: (status: ConnectionStatus) => void): () => void;
  /**
   * Watches one operation. Calls the listener at once with the last known snapshot, then with every newer one. If
   * only the rights change, calls it again with the same snapshot.
   *
   * @returns a function that stops the watching
   */
  watch(id: string, listener: WatchListener): () => void;
  /** Watches all operations that run or ended in the last ten minutes, including new ones. */
  watchAll(scope: ListScope, listener: WatchListener): () => void;
  /** Calls the listener when the server removes an operation from this view or does not know it. */
  onGone(listener: GoneListener): () => void;
  /** The last known snapshot. */
  get(id: string): Snapshot | undefined;
  /** Adds a snapshot that arrived by HTTP; an older one is ignored. */
  offer(snapshot: Snapshot, may?: Rights): void;
  /** Connects at once, e.g. after signing in or on request of the user. Checks a connection that is open. */
  reconnectNow(): void;
  /** Closes the connection for good. */
  close(): void;
}

/**
 * Connects to a `wcc.v1` socket and reconnects whenever the connection is lost.
 *
 * @param url `wss://host/api/ws`, or a path on the page's host
 */
export function connect(url: string, options: ConnectOptions): ProgressClient {
  const listeners = new Set<(status: ConnectionStatus) => void>();
  const onError = options.onError ?? reportUncaught;
  const subscriptions = new Subscriptions({
    send: (message) => connection.send(message),
    isUp: () => isUp,
    onError,
  });
  let isUp = false;
  const connection = new Connection({
    url: absoluteUrl(url),
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
    get: (id) => subscriptions.cache.get(id),
    offer: (snapshot, may) => subscriptions.offer(snapshot, may),
    reconnectNow: () => connection.reconnectNow(),
    close: () => {
      subscriptions.close();
      connection.close();
    },
  };
}

/** Browsers before 2023 do not accept relative WebSocket addresses. */
function absoluteUrl(url: string): string {
  if (typeof location === 'undefined') return url;
  return new URL(url, location.href).href.replace(/^http/, 'ws');
}

function reportUncaught(error: unknown): void {
  if (typeof reportError === 'function') return reportError(error);
  setTimeout(() => {
    throw error;
  });
}
