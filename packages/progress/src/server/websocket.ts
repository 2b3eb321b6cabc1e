import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import type { Limits } from '@wcc/progress';
import { CLOSE_CODES, LIMITS } from '@wcc/progress';
import { warnOnError } from './on-error.ts';
import { createAccess } from './websocket/access.ts';
import { createConnectionQuota } from './connection-quota.ts';
import type { ConnectionQuota } from './connection-quota.ts';
import { createEndedSessions } from './ended-sessions.ts';
import type { EndedSessions } from './ended-sessions.ts';
import { watchStats } from './stats.ts';
import type { WatchStats } from './stats.ts';
import { Connection } from './websocket/connection.ts';
import type { GatewayContext } from './websocket/connection.ts';
import { Fanout } from './websocket/fanout.ts';
import type { WebSocketGateway, WebSocketOptions } from './websocket/options.ts';
import { createUpgrader } from './websocket/upgrade.ts';
import type { Upgraded, Upgrader } from './websocket/upgrade.ts';
import { createWatchIndex } from './websocket/watch-index.ts';

const checkEveryMs = 500;
const shutdownMs = 1500;
const defaultReconnectAfterMs = 1000;
/** Reconnects after a shutdown are spread over this time for each client. */
const jitterPerClientMs = 5;
const minJitterMs = 1000;
const maxJitterMs = 20_000;

/**
 * Serves `wcc.v1` on an HTTP server. Authenticates before the upgrade and authorises every operation.
 *
 * @throws {ProgressError} `ws_missing` if the package `ws` is not installed
 */
export function attachWebSocket<P>(options: WebSocketOptions<P>): WebSocketGateway<P> {
  const gateway = new Gateway(options);
  options.server?.on('upgrade', (request, socket, head) => gateway.handle(request, socket, head));
  return gateway;
}

class Gateway<P> implements WebSocketGateway<P> {
  readonly #upgrader: Upgrader;
  readonly #context: GatewayContext<P>;
  readonly #all = new Set<Connection<P>>();
  readonly #quota: ConnectionQuota;
  /** The function that releases each connection from the quota. */
  readonly #releases = new Map<Connection<P>, () => void>();
  readonly #fanout: Fanout<P>;
  readonly #checking: NodeJS.Timeout;
  /** An upgrade in progress must not outlive its session. */
  readonly #endedSessions: EndedSessions<P>;

  constructor(options: WebSocketOptions<P>) {
    const { hub, onError = warnOnError } = options;
    const limits: Limits = { ...LIMITS, ...options.limits };
    const index = createWatchIndex<Connection<P>>();
    this.#endedSessions = createEndedSessions(2 * limits.upgradeMs);
    this.#quota = options.places ?? createConnectionQuota(limits.socketsPerUser);
    this.#context = {
      hub,
      limits,
      index,
      onError,
      access: createAccess({ ...options, onError }),
      identify: options.user,
      view: options.view ?? (() => 'full'),
      sent: { messages: 0, bytes: 0 },
      authenticate: options.authenticate,
      closed: (connection) => this.#remove(connection),
    };
    this.#fanout = new Fanout(hub, index, this.#all);
    this.#upgrader = createUpgrader({
      gateway: options,
      limits,
      onError,
      upgraded: (upgraded) => this.#add(upgraded),
    });
    this.#checking = setInterval(() => this.#check(), checkEveryMs).unref();
  }

  get connections(): number {
    return this.#all.size;
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgrader.handle(request, socket, head);
  }

  principals(): P[] {
    return [...this.#all].filter(({ isOpen }) => isOpen).map(({ principal }) => principal);
  }

  closeSessions(match: (principal: P) => boolean): number {
    this.#endedSessions.add(match);
    const ended = [...this.#all].filter((connection) => connection.isOpen && match(connection.principal));
    for (const connection of ended) connection.close(CLOSE_CODES.sessionEnded);
    return ended.length;
  }

  stats(): WatchStats {
    const open = [...this.#all].filter(({ isOpen }) => isOpen);
    return watchStats(
      open.map(({ sendWindow, watchlist }) => ({
        subscriptions: watchlist.size,
        isAwaitingPong: sendWindow.awaitingSinceMs() !== null,
        waitingSinceMs: sendWindow.waitingSinceMs(),
      })),
      this.#context.sent,
    );
  }

  async shutdown({
    reconnectAfterMs = defaultReconnectAfterMs,
  }: { reconnectAfterMs?: number } = {}): Promise<void> {
    this.#upgrader.close();
    clearInterval(this.#checking);
    this.#fanout.stop();
    const jitterMs = Math.min(maxJitterMs, Math.max(minJitterMs, this.#all.size * jitterPerClientMs));
    for (const connection of this.#all) {
      connection.sendBye(Math.round(reconnectAfterMs + Math.random() * jitterMs));
    }
    const endsAtMs = performance.now() + shutdownMs;
    while (this.#all.size > 0 && performance.now() < endsAtMs) await pause();
  }

  #add({ socket, request, principal, startedAtMs }: Upgraded<P>): void {
    const connection = new Connection({ socket, request, principal, context: this.#context });
    this.#all.add(connection);
    if (this.#endedSessions.hasEnded(connection.principal, startedAtMs))
      return connection.close(CLOSE_CODES.sessionEnded);
    // Refuses after the upgrade, because a page cannot read the status of a failed handshake.
    const release = this.#quota.acquire(this.#context.identify(connection.principal).user);
    if (release === null) connection.close(CLOSE_CODES.tooManyConnections);
    else this.#releases.set(connection, release);
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

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
