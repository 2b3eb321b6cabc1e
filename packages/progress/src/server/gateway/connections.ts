import { performance } from 'node:perf_hooks';
import type { CloseCode, Limits } from '@wcc/progress/protocol';
import { closeCodes, defaultLimits } from '@wcc/progress/protocol';
import { createEndedSessions } from '../ended-sessions.ts';
import type { EndedSessions } from '../ended-sessions.ts';
import { warnOnError } from '../on-error.ts';
import { sharedLimits } from '../shared-limits.ts';
import type { SharedLimits } from '../shared-limits.ts';
import type { WatcherState } from '../stats.ts';
import { createAccess } from './access.ts';
import type { Connection, GatewayContext } from './connection.ts';
import { Fanout } from './fanout.ts';
import type { GatewayOptions } from './options.ts';
import { createWatchIndex } from './watch-index.ts';

export type ConnectionsOptions<P> = Pick<
  GatewayOptions<P>,
  'hub' | 'authorize' | 'user' | 'may' | 'view' | 'lookup' | 'sharedLimits' | 'limits' | 'onError'
>;

const checkEveryMs = 500;
/** Reconnects after a shutdown are spread over this time for each client. */
const jitterPerClientMs = 5;
const minJitterMs = 1000;
const maxJitterMs = 20_000;

/** The open connections of one gateway: follows the hub, checks times, and ends connections with their session. */
export class Connections<P> {
  readonly context: GatewayContext<P>;
  readonly quota: SharedLimits;
  /** A connection in authentication must not outlive its session. */
  readonly endedSessions: EndedSessions<P>;
  readonly #all = new Set<Connection<P>>();
  /** The function that releases each connection from the quota. */
  readonly #releases = new Map<Connection<P>, () => void>();
  readonly #fanout: Fanout<P>;
  readonly #checking: NodeJS.Timeout;

  constructor(options: ConnectionsOptions<P>) {
    const { hub, onError = warnOnError } = options;
    const limits: Limits = { ...defaultLimits, ...options.limits };
    const index = createWatchIndex<Connection<P>>();
    this.endedSessions = createEndedSessions(2 * limits.upgradeMs);
    this.quota = options.sharedLimits ?? sharedLimits(limits.socketsPerUser);
    this.context = {
      hub,
      limits,
      index,
      onError,
      access: createAccess({ ...options, onError }),
      identify: options.user,
      view: options.view ?? (() => 'full'),
      sent: { messages: 0, bytes: 0 },
      closed: (connection) => this.#remove(connection),
    };
    this.#fanout = new Fanout(hub, index, this.#all);
    this.#checking = setInterval(() => this.#check(), checkEveryMs).unref();
  }

  get size(): number {
    return this.#all.size;
  }

  add(connection: Connection<P>): void {
    this.#all.add(connection);
  }

  /** Counts a connection for its user. @returns false if the user is at the limit */
  takePlace(connection: Connection<P>): boolean {
    const release = this.quota.acquire(connection.user);
    if (release !== null) this.#releases.set(connection, release);
    return release !== null;
  }

  open(): Connection<P>[] {
    return [...this.#all].filter(({ isOpen }) => isOpen);
  }

  /** @returns how many connections were open */
  closeSessions(match: (principal: P) => boolean, code: CloseCode = closeCodes.sessionEnded): number {
    this.endedSessions.add(match);
    const ended = this.open().filter(({ principal }) => match(principal));
    for (const connection of ended) connection.close(code);
    return ended.length;
  }

  states(): WatcherState[] {
    return this.open().map(({ sendWindow, watchlist }) => ({
      subscriptions: watchlist.size,
      isAwaitingPong: sendWindow.awaitingSinceMs() !== null,
      waitingSinceMs: sendWindow.waitingSinceMs(),
    }));
  }

  /** Sends `bye` on every connection and stops following the hub. */
  stop(reconnectAfterMs: number): void {
    clearInterval(this.#checking);
    this.#fanout.stop();
    const jitterMs = Math.min(maxJitterMs, Math.max(minJitterMs, this.#all.size * jitterPerClientMs));
    for (const connection of this.#all)
      connection.sendBye(Math.round(reconnectAfterMs + Math.random() * jitterMs));
  }

  #remove(connection: Connection<P>): void {
    this.#all.delete(connection);
    this.#releases.get(connection)?.();
    this.#releases.delete(connection);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const connection of this.#all) if (connection.isOpen) connection.check(nowMs);
  }
}
