/// <reference lib="esnext.disposable" preserve="true" />
import type { ListScope, Rights } from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { addressesOf } from './addresses.ts';
import { Connection } from './connection.ts';
import type { ConnectionStatus } from './connection.ts';
import { ClientError } from './errors.ts';
import { act, requestTicket } from './requests.ts';
import type { Post } from './requests.ts';
import { createPageSignals } from './page-signals.ts';
import type { PageSignals } from './page-signals.ts';
import { onAbort } from './listen.ts';
import { iterateSnapshots } from './iterate-snapshots.ts';
import type { SocketConstructor } from './socket-wire.ts';
import { Subscriptions } from './subscriptions.ts';
import type { GoneListener } from './subscriptions.ts';
import type { Clock } from './backoff.ts';
import type { TransportName } from './wire.ts';

/** Options of {@link connect}. */
export interface ConnectOptions {
  /**
   * Called before every attempt by socket. Returns a single-use ticket, or `null` if the user is not signed in. A
   * rejection counts as a failed attempt; `signal` aborts when the attempt times out. Pass `null` if the socket
   * authenticates in another way, e.g. with a bearer header.
   *
   * @default a POST to `<url>/ticket`, which `serveProgress` answers
   */
  ticket?: ((signal: AbortSignal) => Promise<string | null>) | null;
  /**
   * `auto` begins with a WebSocket. If upgrades fail, e.g. behind a proxy that does not forward them, it takes an
   * event stream. After a change of network, or when the stream fails too, it tries a socket again.
   *
   * @default 'auto'
   */
  transport?: 'auto' | TransportName;
  /** Address of the event streams; on a page it may be relative. @default `<url>/events` */
  events?: string;
  /** The WebSocket class. Node 20 has none; pass the one of `ws`. @default globalThis.WebSocket */
  WebSocket?: SocketConstructor;
  /**
   * Sends tickets, event streams and actions; add credentials here, e.g. a bearer header. The default sends the
   * cookies of the page's own origin.
   *
   * @default globalThis.fetch
   */
  fetch?: typeof fetch;
  /** Closes the client when it aborts. */
  signal?: AbortSignal;
  /** A listener threw, or the server refused a subscription. @default throws the error in a task of its own */
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
   * The server may not know the operation yet: its work waits in a queue, or runs in another process. The client asks
   * again for 30 s, and the listener is not called until then. After that `onGone` reports `not_found`, once. A later
   * reconnection asks again.
   *
   * @returns a function that stops the watching; `signal` stops it too
   */
  watch(
    id: string,
    listener: (snapshot: Snapshot, may: Rights | null) => void,
    options?: { signal?: AbortSignal },
  ): () => void;
  /** Watches all operations that run or ended in the last ten minutes, including new ones. */
  watchList(
    scope: ListScope,
    listener: (snapshot: Snapshot, may: Rights | null) => void,
    options?: { signal?: AbortSignal },
  ): () => void;
  /**
   * The snapshots of one operation: the last known one, then newer ones. A slow reader skips to the newest. The terminal
   * snapshot is the last one. Leaving the loop stops the watching, and so does `signal`.
   *
   * @throws {ClientError} while reading, if the operation leaves the view (`not_found`, `revoked`, `deleted`), or if
   * the client is closed, signed out or stopped (the code of the status). The reason of `signal`, if it aborts
   */
  snapshots(id: string, options?: { signal?: AbortSignal }): AsyncIterableIterator<Snapshot>;
  /**
   * Calls the listener when the server removes an operation from this view (`revoked`, `deleted`) or does not know it
   * (`not_found`: unknown or forbidden; the two look the same).
   */
  onGone(listener: GoneListener): () => void;
  /** The last known snapshot. */
  get(id: string): Snapshot | undefined;
  /** Adds a snapshot that arrived by HTTP; an older one is ignored. */
  offer(snapshot: Snapshot, may?: Rights): void;
  /**
   * Asks the server for an action on an operation, e.g. `cancel`, by a POST to `<url>/operations/<id>/<verb>`.
   * Resolves when the server has accepted it. The effect arrives as a snapshot.
   *
   * @throws {ClientError} with the code of the server, e.g. `not_found` or `not_in_state`. Without an answer it rejects
   * with the error of `fetch`
   */
  act(id: string, verb: string): Promise<void>;
  /** Connects at once, e.g. after signing in or on request of the user. Checks a connection that is open. */
  reconnectNow(): void;
  /** Closes the connection for good. */
  close(): void;
  /** The same as `close`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Connects to a server of operations, e.g. `serveProgress`, and reconnects whenever the connection is lost.
 *
 * A relative address where no page is, as when a module runs on a server for its first HTML, gives a client that is
 * `stopped` with code `bad_url` and does nothing.
 *
 * @param url `https://host/progress`, or a path on the page's host
 * @throws {ClientError} `bad_url` for another unusable address; `no_websocket` if neither a WebSocket class nor an
 * event stream can be used
 */
export function connect(url: string, options: ConnectOptions = {}): ProgressClient {
  return createClient(url, options);
}

/** What tests replace: clock, chance and the page. */
export interface ClientSeams extends Partial<Clock> {
  /** Visibility and wake-ups. @default those of the page, if there is one */
  page?: PageSignals;
}

/** {@link connect} with the seams of tests. */
export function createClient(url: string, options: ConnectOptions, seams: ClientSeams = {}): ProgressClient {
  const { WebSocket: Socket = globalThis.WebSocket, signal } = options;
  const addresses = addressesOf(url, options.events);
  const transport = (Socket as unknown) ? (options.transport ?? 'auto') : 'sse';
  if (options.transport === 'websocket' && transport === 'sse') throw new ClientError('no_websocket', url);
  const post: Post = async (address, init) => (options.fetch ?? fetch)(address, { ...init, method: 'POST' });
  const clock = { now: () => performance.now(), random: Math.random, scale: 1, ...seams };
  const subscriptions = new Subscriptions({
    ...clock,
    send: (message) => connection.send(message),
    onError: options.onError ?? throwLater,
  });
  const connection = new Connection({
    page: createPageSignals(),
    ...clock,
    ...addresses,
    Socket,
    transport,
    post,
    subscriptions,
    ticket:
      options.ticket === undefined
        ? (abort) => requestTicket(post, `${addresses.root}/ticket`, abort)
        : options.ticket,
  });
  const close = (): void => {
    stopWaiting();
    subscriptions.close();
    connection.close();
  };
  const stopWaiting = onAbort(signal, close);
  const client = clientOf(subscriptions, connection, {
    close,
    [Symbol.dispose]: close,
    act: (id, verb) =>
      act(post, `${addresses.root}/operations/${encodeURIComponent(id)}/${encodeURIComponent(verb)}`),
  });
  if (addresses.isUnusable) connection.close('bad_url');
  else if (signal?.aborted) close();
  else connection.reconnectNow();
  return client;
}

function clientOf(
  subscriptions: Subscriptions,
  connection: Connection,
  rest: Pick<ProgressClient, 'act' | 'close' | typeof Symbol.dispose>,
): ProgressClient {
  const client: ProgressClient = {
    ...rest,
    get status() {
      return connection.status;
    },
    onStatus: (listener) => connection.onStatus(listener),
    watch: (id, listener, watching) => subscriptions.watch(id, listener, watching),
    watchList: (scope, listener, watching) => subscriptions.watchList(scope, listener, watching),
    snapshots: (id, watching) => iterateSnapshots(client, id, watching),
    onGone: (listener) => subscriptions.onGone(listener),
    get: (id) => subscriptions.get(id),
    offer: (snapshot, may) => subscriptions.offer(snapshot, may),
    reconnectNow: () => connection.reconnectNow(),
  };
  return client;
}

/** In a task of its own, where the page or the process reports it. */
function throwLater(error: unknown): void {
  setTimeout(() => {
    throw error;
  });
}
