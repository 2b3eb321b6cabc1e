import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { closeCodes } from '@wcc/progress/protocol';
import { assertHub, assertOptions } from './assert-options.ts';
import { watchStats } from './stats.ts';
import type { WatchStats } from './stats.ts';
import { Connection } from './gateway/connection.ts';
import { Connections } from './gateway/connections.ts';
import type { Gateway, GatewayOptions } from './gateway/options.ts';
import { listenToSocket } from './gateway/socket-inbound.ts';
import { createSocketWire } from './gateway/socket-wire.ts';
import { createUpgrader } from './gateway/upgrade.ts';
import type { Upgraded, Upgrader } from './gateway/upgrade.ts';

const shutdownMs = 1500;
const defaultReconnectAfterMs = 1000;
const required: readonly (keyof GatewayOptions<unknown>)[] = [
  'hosts',
  'origins',
  'authenticate',
  'user',
  'authorize',
];

/**
 * Serves `wcc.v1` on an HTTP server. Authenticates before the upgrade and authorises every operation.
 *
 * @throws {ProgressError} `invalid_option`, `ws_missing` if the package `ws` is not installed, `ws_unusable` if it does not load
 */
export function createGateway<P>(options: GatewayOptions<P>): Gateway<P> {
  assertHub(options);
  assertOptions(options, { required });
  const gateway = new SocketGateway(options);
  options.server?.on('upgrade', (request, socket, head) => gateway.handle(request, socket, head));
  return gateway;
}

class SocketGateway<P> implements Gateway<P> {
  readonly #options: GatewayOptions<P>;
  readonly #upgrader: Upgrader;
  readonly #connections: Connections<P>;

  constructor(options: GatewayOptions<P>) {
    this.#options = options;
    this.#connections = new Connections(options);
    const { limits, onError } = this.#connections.context;
    this.#upgrader = createUpgrader({
      gateway: options,
      limits,
      onError,
      upgraded: (upgraded) => this.#add(upgraded),
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgrader.handle(request, socket, head);
  }

  principals(): P[] {
    return this.#connections.open().map(({ principal }) => principal);
  }

  closeSessions(match: (principal: P) => boolean, { reconnect = false } = {}): number {
    return this.#connections.closeSessions(match, reconnect ? closeCodes.goingAway : closeCodes.sessionEnded);
  }

  stats(): WatchStats {
    return watchStats(this.#connections.states(), this.#connections.context.sent);
  }

  async shutdown({
    reconnectAfterMs = defaultReconnectAfterMs,
  }: { reconnectAfterMs?: number } = {}): Promise<void> {
    this.#upgrader.close();
    this.#connections.stop(reconnectAfterMs);
    const endsAtMs = performance.now() + shutdownMs;
    while (this.#connections.size > 0 && performance.now() < endsAtMs) await pause();
  }

  #add({ socket, request, principal, startedAtMs }: Upgraded<P>): void {
    const { context, endedSessions } = this.#connections;
    const wire = createSocketWire(socket, request.socket);
    const connection = new Connection({ wire, principal, context });
    this.#connections.add(connection);
    listenToSocket({
      socket,
      connection,
      limits: context.limits,
      onError: context.onError,
      authenticate: (ticket) => this.#options.authenticate(request, ticket),
    });
    connection.open();
    if (endedSessions.hasEnded(connection.principal, startedAtMs))
      return connection.close(closeCodes.sessionEnded);
    // Refuses after the upgrade, because a page cannot read the status of a failed handshake.
    if (!this.#connections.takePlace(connection)) connection.close(closeCodes.tooManyConnections);
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
