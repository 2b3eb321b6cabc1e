import type { IncomingMessage, Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Limits, Rights, Snapshot, SnapshotView } from '@wcc/progress';
import type { Places } from '../connection-quota.ts';
import type { WatchStats } from '../stats.ts';
import type { Hub } from '../hub.ts';
import type { OnError } from '../on-error.ts';

/** Who a socket is, as the gateway needs to know it. */
export interface WatchIdentity {
  user: string;
  session: string;
  /** End of the session, Unix time in milliseconds; `null` when it has none. */
  expiresAtMs: number | null;
}

/** A principal that serves as one; any other shape does too. */
export interface WatchPrincipal extends WatchIdentity {
  sessionVersion: number;
}

export interface WebSocketOptions<P> {
  hub: Hub;
  /** Its `upgrade` event is served. Without it, call `handle` yourself. */
  server?: Server | SecureServer;
  /** @default '/api/ws' */
  path?: string;
  /**
   * Leaves upgrades of other paths to a further handler instead of answering 404.
   * @default false
   */
  fallthrough?: boolean;
  /** The exact allow-list of Host headers (DNS rebinding); see {@link exactHosts}. */
  hosts: (host: string | undefined) => boolean;
  /** The exact allow-list of Origin headers; see {@link exactOrigins}. */
  origins: (origin: string | undefined, request: IncomingMessage) => boolean;
  /**
   * Takes and deletes the ticket, and compares it with the cookie's session. `null` refuses with 401. Called
   * again, with the handshake's request, for a `refresh`.
   */
  authenticate: (request: IncomingMessage, ticket: string | null) => Promise<P | null>;
  user: (principal: P) => WatchIdentity;
  /** Asked at each `sub`, at each change of rights and every 60 s. Cheap and synchronous. */
  authorize: (principal: P, action: 'watch', snapshot: Snapshot) => boolean;
  /** What the principal may do; travels beside the snapshot, never in it. */
  may?: (principal: P, snapshot: Snapshot) => Rights;
  /**
   * Which form of the snapshots the principal gets; asked once, when the socket opens.
   * @default 'full' for everybody
   */
  view?: (principal: P) => SnapshotView;
  /**
   * Counts the live streams of each user; one object for sockets and event streams counts both together.
   * @default `limits.socketsPerUser` sockets
   */
  places?: Places;
  /** Finds operations that the hub no longer holds. */
  lookup?: (id: string) => Promise<Snapshot | undefined>;
  /** @default the socket's peer */
  clientAddress?: (request: IncomingMessage) => string;
  limits?: Partial<Limits>;
  /** @default written to the process as a warning */
  onError?: OnError;
}

export interface WebSocketGateway<P> {
  /**
   * Closes every socket whose principal matches, with 4401, within 1 s; those too whose upgrade was being
   * authenticated when it was called.
   *
   * @returns how many were open
   */
  closeSessions(match: (principal: P) => boolean): number;
  /** Who is connected, one for each socket. */
  principals(): P[];
  readonly connections: number;
  stats(): WatchStats;
  /** For servers that dispatch their upgrades themselves. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Says `bye` to everyone and closes; new upgrades get 503. Resolves when all are closed, after at most 1.5 s.
   * Each client is told to wait at least `reconnectAfterMs` (1000) and a random time more.
   */
  shutdown(options?: { reconnectAfterMs?: number }): Promise<void>;
}
