import { performance } from 'node:perf_hooks';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Limits } from '@wcc/progress/protocol';
import { ProgressError } from '@wcc/progress';
import { handshakeStatuses } from '@wcc/progress/protocol';
import type { WebSocket, WebSocketServer } from 'ws';
import { createWebSocketServer } from './load-ws.ts';
import type { OnError } from '../on-error.ts';
import { sharedLimits } from '../shared-limits.ts';
import type { SharedLimits } from '../shared-limits.ts';
import { handshakeError, pathOf, refuseUpgrade, takeOffer } from './handshake.ts';
import type { HandshakeStatus } from './handshake.ts';
import type { GatewayOptions } from './options.ts';

export interface Upgraded<P> {
  socket: WebSocket;
  request: IncomingMessage;
  principal: P;
  /** When the authentication started, by the monotonic clock. */
  startedAtMs: number;
}

export interface UpgraderOptions<P> {
  gateway: GatewayOptions<P>;
  limits: Limits;
  onError: OnError;
  upgraded(upgraded: Upgraded<P>): void;
}

export interface Upgrader {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Refuses all upgrades with 503, including those being authenticated. */
  close(): void;
}

const defaultPath = '/api/ws';

/**
 * Turns upgrade requests into sockets with a principal. Cheap checks run first, the ticket is checked last.
 *
 * @throws {ProgressError} `ws_missing`, `ws_unusable`
 */
export function createUpgrader<P>(options: UpgraderOptions<P>): Upgrader {
  return new TicketUpgrader(options);
}

class TicketUpgrader<P> implements Upgrader {
  readonly #options: UpgraderOptions<P>;
  readonly #path: string;
  readonly #server: WebSocketServer;
  readonly #pending: SharedLimits;
  readonly #addressOf: (request: IncomingMessage) => string;
  /** Functions that end a pending authentication with 503. */
  readonly #endPending = new Set<() => void>();
  #closing = false;

  constructor(options: UpgraderOptions<P>) {
    const { gateway, limits } = options;
    this.#options = options;
    this.#path = gateway.path ?? defaultPath;
    this.#server = createWebSocketServer(limits, gateway.WebSocketServer);
    this.#pending = sharedLimits(limits.pendingUpgradesPerAddress);
    this.#addressOf = gateway.clientAddress ?? ((request) => request.socket.remoteAddress ?? '');
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isOurs = pathOf(request) === this.#path;
    if (!isOurs && this.#options.gateway.fallthrough === true) return;
    // Attached before any await. Otherwise a reset would be an uncaught error and end the process.
    socket.on('error', () => socket.destroy());
    const refusal = isOurs ? this.#checkHeaders(request, head) : handshakeStatuses.notFound;
    if (refusal !== null) return refuseUpgrade(socket, refusal);
    this.#admit(request, socket).catch((error: unknown) => {
      this.#options.onError(error, { stage: 'upgrade' });
      socket.destroy();
    });
  }

  close(): void {
    this.#closing = true;
    for (const end of this.#endPending) end();
  }

  /** The synchronous checks. */
  #checkHeaders(request: IncomingMessage, head: Buffer): HandshakeStatus | null {
    const { hosts, origins } = this.#options.gateway;
    const { host, origin } = request.headers;
    if (!hosts(host, request) || !origins(origin, request)) return handshakeStatuses.forbidden;
    const refusal = handshakeError(request);
    if (refusal !== null) return refusal;
    if (this.#closing) return handshakeStatuses.unavailable;
    // RFC 6455, 4.1: the client must wait for the answer before it sends data.
    return head.length > 0 ? handshakeStatuses.badRequest : null;
  }

  async #admit(request: IncomingMessage, socket: Duplex): Promise<void> {
    const offer = takeOffer(request);
    if (offer === null) return refuseUpgrade(socket, handshakeStatuses.badRequest);
    const release = this.#pending.acquire(this.#addressOf(request));
    if (release === null) return refuseUpgrade(socket, handshakeStatuses.tooManyRequests);
    socket.once('close', release);
    const stopWatching = destroyWhenReadable(socket);
    const startedAtMs = performance.now();
    const principal = await this.#authenticate(request, offer.ticket);
    release();
    stopWatching();
    if (socket.destroyed) return;
    if (principal === undefined || this.#closing) return refuseUpgrade(socket, handshakeStatuses.unavailable);
    if (principal === null) return refuseUpgrade(socket, handshakeStatuses.unauthenticated);
    this.#server.handleUpgrade(request, socket, Buffer.alloc(0), (webSocket) =>
      this.#options.upgraded({ socket: webSocket, request, principal, startedAtMs }),
    );
  }

  /** @returns `undefined` if the host's `authenticate` failed or took too long */
  async #authenticate(request: IncomingMessage, ticket: string | null): Promise<P | null | undefined> {
    const { gateway, limits, onError } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    let end = (): void => undefined;
    const deadline = new Promise<undefined>((resolve, reject) => {
      end = () => resolve(undefined);
      timer = setTimeout(() => reject(new ProgressError('authentication_timeout')), limits.upgradeMs);
    });
    this.#endPending.add(end);
    try {
      return await Promise.race([gateway.authenticate(request, ticket), deadline]);
    } catch (error) {
      onError(error, { stage: 'authenticate' });
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#endPending.delete(end);
    }
  }
}

/**
 * Reads a socket during the authentication, because only a socket that is read reports its close. Destroys it if
 * the client sends data or closes.
 *
 * @returns a function that stops the reading; call it in the turn in which the next reader starts
 */
function destroyWhenReadable(socket: Duplex): () => void {
  const destroy = (): void => void socket.destroy();
  socket.on('data', destroy).once('end', destroy);
  return () => void socket.off('data', destroy).off('end', destroy);
}
