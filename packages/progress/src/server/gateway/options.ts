import type { IncomingMessage, Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Snapshot } from '@wcc/progress';
import type { Limits, Rights, SnapshotView } from '@wcc/progress/protocol';
import type { SharedLimits } from '../shared-limits.ts';
import type { WatchStats } from '../stats.ts';
import type { Hub } from '../hub.ts';
import type { OnError } from '../on-error.ts';

/** The identity behind a socket. */
export interface WatchIdentity {
  user: string;
  session: string;
  /** End of the session, Unix time in milliseconds; `null` if it does not end. */
  expiresAtMs: number | null;
}

/** Options of {@link createGateway}; `P` is the host's type of a principal. */
export interface GatewayOptions<P> {
  hub: Hub;
  /** The gateway handles its `upgrade` event. Without a server, call `handle` yourself. */
  server?: Server | SecureServer;
  /** Path of the socket. @default '/api/ws' */
  path?: string;
  /**
   * Ignores upgrades of other paths, for another handler, instead of answering 404.
   * @default false
   */
  fallthrough?: boolean;
  /** Which Host headers are allowed, against DNS rebinding; see {@link exactHosts}. */
  hosts: (host: string | undefined, request: IncomingMessage) => boolean;
  /** Which Origin headers are allowed; see {@link exactOrigins}. */
  origins: (origin: string | undefined, request: IncomingMessage) => boolean;
  /**
   * Takes and deletes the ticket and compares it with the cookie's session. `null` refuses with 401. For a `refresh`
   * the gateway calls it again with the request of the handshake.
   */
  authenticate: (request: IncomingMessage, ticket: string | null) => Promise<P | null>;
  /** The identity of a principal. */
  user: (principal: P) => WatchIdentity;
  /** Called at each `sub`, at each change of rights and every 60 s. Must be cheap and synchronous. */
  authorize: (principal: P, action: 'watch', snapshot: Snapshot) => boolean;
  /** What the principal may do. Sent beside the snapshot, never in it. */
  may?: (principal: P, snapshot: Snapshot) => Rights;
  /**
   * Which form of the snapshots the principal receives. Called once, when the socket opens.
   * @default 'full' for all
   */
  view?: (principal: P) => SnapshotView;
  /**
   * Limits the live streams of each user. Give the same object to sockets and event streams to count both together.
   * @default `limits.socketsPerUser` sockets
   */
  sharedLimits?: SharedLimits;
  /** Finds operations that are no longer in the hub. A client chooses the id: any text of 1 to 64 characters. */
  lookup?: (id: string) => Promise<Snapshot | undefined>;
  /** The address of the client, for the limit of upgrades. @default the socket's peer */
  clientAddress?: (request: IncomingMessage) => string;
  limits?: Partial<Limits>;
  /**
   * The class of the package `ws`. Pass it in a bundle, which cannot find `ws` when it runs.
   * @default the installed package `ws`
   */
  WebSocketServer?: new (options: never) => object;
  /** @default emits a process warning */
  onError?: OnError;
}

/** The sockets of one HTTP server. */
export interface Gateway<P> {
  /**
   * Closes every socket whose principal matches, with 4401, within 1 s. Includes sockets whose upgrade is being
   * authenticated. With `reconnect` it closes with 1001, so that the client asks for a new ticket.
   *
   * @returns how many sockets were open
   */
  closeSessions(match: (principal: P) => boolean, options?: { reconnect?: boolean }): number;
  /** The principals of all open sockets, one for each socket. */
  principals(): P[];
  /** Number of sockets. */
  readonly connections: number;
  /** Counts of connections, messages and bytes, for metrics. */
  stats(): WatchStats;
  /** Handles an upgrade, for servers that dispatch upgrades themselves. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Sends `bye` on every socket and closes it; new upgrades receive 503. Resolves when all sockets are closed, after
   * at most 1.5 s. Each client waits at least `reconnectAfterMs` (default: 1000) plus a random time.
   */
  shutdown(options?: { reconnectAfterMs?: number }): Promise<void>;
}
