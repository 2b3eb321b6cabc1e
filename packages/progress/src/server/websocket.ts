import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import type { Limits } from '@wcc/progress';
import { CLOSE_CODES, LIMITS } from '@wcc/progress';
import { warnOnError } from './on-error.ts';
import { createAccess } from './websocket/access.ts';
import { createPlaces } from './connection-quota.ts';
import type { Places } from './connection-quota.ts';
import { createSessionEnds } from './session-ends.ts';
import type { SessionEnds } from './session-ends.ts';
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
/** A thousand clients come back over so many milliseconds, more of them over more. */
const jitterPerClientMs = 5;
const minJitterMs = 1000;
const maxJitterMs = 20_000;

/**
 * Serves `wcc.v1` on an HTTP server: authenticated before the upgrade, authorised at every operation.
 *
 * @throws {ProgressError} `ws_missing` when the package `ws` is not installed
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
  readonly #sockets: Places;
  /** Gives back the place of a connection among its user's. */
  readonly #places = new Map<Connection<P>, () => void>();
  readonly #fanout: Fanout<P>;
  readonly #checking: NodeJS.Timeout;
  /** An upgrade that was on its way when its session ended must not outlive it. */
  readonly #ends: SessionEnds<P>;

  constructor(options: WebSocketOptions<P>) {
    const { hub, onError = warnOnError } = options;
    const limits: Limits = { ...LIMITS, ...options.limits };
    const index = createWatchIndex<Connection<P>>();
    this.#ends = createSessionEnds(2 * limits.upgradeMs);
    this.#sockets = options.places ?? createPlaces(limits.socketsPerUser);
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
      closed: (connection) => this.#forget(connection),
    };
    this.#fanout = new Fanout(hub, index, this.#all);
    this.#upgrader = createUpgrader({
      gateway: options,
      limits,
      onError,
      upgraded: (upgraded) => this.#enter(upgraded),
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
    this.#ends.add(match);
    const ended = [...this.#all].filter((connection) => connection.isOpen && match(connection.principal));
    for (const connection of ended) connection.close(CLOSE_CODES.sessionEnded);
    return ended.length;
  }

  stats(): WatchStats {
    const open = [...this.#all].filter(({ isOpen }) => isOpen);
    return watchStats(
      open.map(({ flow, watchlist }) => ({
        subscriptions: watchlist.size,
        isAwaited: flow.awaitingSinceMs() !== null,
        waitingSinceMs: flow.waitingSinceMs(),
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
      connection.sayBye(Math.round(reconnectAfterMs + Math.random() * jitterMs));
    }
    const endsAtMs = performance.now() + shutdownMs;
    while (this.#all.size > 0 && performance.now() < endsAtMs) await pause();
  }

  #enter({ socket, request, principal, startedAtMs }: Upgraded<P>): void {
    const connection = new Connection({ socket, request, principal, context: this.#context });
    this.#all.add(connection);
    if (this.#ends.hasEnded(connection.principal, startedAtMs))
      return connection.close(CLOSE_CODES.sessionEnded);
    // After the upgrade, because a page cannot read the status of a handshake that failed.
    const leave = this.#sockets.enter(this.#context.identify(connection.principal).user);
    if (leave === null) connection.close(CLOSE_CODES.tooManyConnections);
    else this.#places.set(connection, leave);
  }

  #forget(connection: Connection<P>): void {
    this.#all.delete(connection);
    this.#places.get(connection)?.();
    this.#places.delete(connection);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const connection of this.#all) if (connection.isOpen) connection.check(nowMs);
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
