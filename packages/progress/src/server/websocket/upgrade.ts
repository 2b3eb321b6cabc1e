import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Limits } from '@wcc/progress';
import { HANDSHAKE_STATUSES, ProgressError, SUBPROTOCOL } from '@wcc/progress';
import type { WebSocket, WebSocketServer } from 'ws';
import type { OnError } from '../on-error.ts';
import { createAdmission } from './admission.ts';
import type { Admission } from './admission.ts';
import { handshakeDefect, pathOf, refuse, takeOffer } from './handshake.ts';
import type { HandshakeStatus } from './handshake.ts';
import type { WebSocketOptions } from './options.ts';

export interface Upgraded<P> {
  socket: WebSocket;
  request: IncomingMessage;
  principal: P;
  /** When its authentication began, by the monotonic clock. */
  startedAtMs: number;
}

export interface UpgraderOptions<P> {
  gateway: WebSocketOptions<P>;
  limits: Limits;
  onError: OnError;
  upgraded(upgraded: Upgraded<P>): void;
}

export interface Upgrader {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** From now on everybody gets 503, those that wait at once. */
  close(): void;
}

const defaultPath = '/api/ws';

/** `ws` is an optional peer: a program that only uses the hub need not have it. */
function createWebSocketServer(limits: Limits): WebSocketServer {
  try {
    const ws = createRequire(import.meta.url)('ws') as { WebSocketServer: typeof WebSocketServer };
    return new ws.WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.messageBytes,
      // By default the first one offered would be echoed, which may be the ticket.
      handleProtocols: () => SUBPROTOCOL,
    });
  } catch (error) {
    throw new ProgressError('ws_missing', { cause: error });
  }
}

/**
 * Turns upgrade requests into sockets with a principal: the cheap checks first, the ticket last.
 *
 * @throws {ProgressError} `ws_missing`
 */
export function createUpgrader<P>(options: UpgraderOptions<P>): Upgrader {
  return new TicketUpgrader(options);
}

class TicketUpgrader<P> implements Upgrader {
  readonly #options: UpgraderOptions<P>;
  readonly #path: string;
  readonly #server: WebSocketServer;
  readonly #pending: Admission;
  readonly #addressOf: (request: IncomingMessage) => string;
  /** Ends of the waits for an authentication: each answers 503. */
  readonly #waits = new Set<() => void>();
  #closing = false;

  constructor(options: UpgraderOptions<P>) {
    const { gateway, limits } = options;
    this.#options = options;
    this.#path = gateway.path ?? defaultPath;
    this.#server = createWebSocketServer(limits);
    this.#pending = createAdmission(limits.pendingUpgradesPerAddress);
    this.#addressOf = gateway.clientAddress ?? ((request) => request.socket.remoteAddress ?? '');
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isOurs = pathOf(request) === this.#path;
    if (!isOurs && this.#options.gateway.fallthrough === true) return;
    // First of all: a reset while we await would otherwise be an uncaught error and end the process.
    socket.on('error', () => socket.destroy());
    const defect = isOurs ? this.#cheapDefect(request, head) : HANDSHAKE_STATUSES.notFound;
    if (defect !== null) return refuse(socket, defect);
    this.#admit(request, socket).catch((error: unknown) => {
      this.#options.onError(error, { stage: 'upgrade' });
      socket.destroy();
    });
  }

  close(): void {
    this.#closing = true;
    for (const end of this.#waits) end();
  }

  /** What can be said without waiting for anything. */
  #cheapDefect(request: IncomingMessage, head: Buffer): HandshakeStatus | null {
    const { hosts, origins } = this.#options.gateway;
    const { host, origin } = request.headers;
    if (!hosts(host) || !origins(origin, request)) return HANDSHAKE_STATUSES.forbidden;
    const defect = handshakeDefect(request);
    if (defect !== null) return defect;
    if (this.#closing) return HANDSHAKE_STATUSES.unavailable;
    // RFC 6455, 4.1: the client waits for the answer before it sends anything.
    return head.length > 0 ? HANDSHAKE_STATUSES.badRequest : null;
  }

  async #admit(request: IncomingMessage, socket: Duplex): Promise<void> {
    const offer = takeOffer(request);
    if (offer === null) return refuse(socket, HANDSHAKE_STATUSES.badRequest);
    const leave = this.#pending.enter(this.#addressOf(request));
    if (leave === null) return refuse(socket, HANDSHAKE_STATUSES.tooManyRequests);
    socket.once('close', leave);
    const stopWatching = watchForLeaving(socket);
    const startedAtMs = performance.now();
    const principal = await this.#authenticate(request, offer.ticket);
    leave();
    stopWatching();
    if (socket.destroyed) return;
    if (principal === undefined || this.#closing) return refuse(socket, HANDSHAKE_STATUSES.unavailable);
    if (principal === null) return refuse(socket, HANDSHAKE_STATUSES.unauthenticated);
    this.#server.handleUpgrade(request, socket, Buffer.alloc(0), (webSocket) =>
      this.#options.upgraded({ socket: webSocket, request, principal, startedAtMs }),
    );
  }

  /** @returns `undefined` when the host could not say who it is, or not in time */
  async #authenticate(request: IncomingMessage, ticket: string | null): Promise<P | null | undefined> {
    const { gateway, limits, onError } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    let end = (): void => undefined;
    const given = new Promise<undefined>((resolve, reject) => {
      end = () => resolve(undefined);
      timer = setTimeout(() => reject(new ProgressError('authentication_timeout')), limits.upgradeMs);
    });
    this.#waits.add(end);
    try {
      return await Promise.race([gateway.authenticate(request, ticket), given]);
    } catch (error) {
      onError(error, { stage: 'authenticate' });
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#waits.delete(end);
    }
  }
}

/**
 * Reads a socket while its client is to wait, because only a socket that is read tells that it was closed.
 * Who does not wait is cut off.
 *
 * @returns stops it, in the same turn in which the next reader comes
 */
function watchForLeaving(socket: Duplex): () => void {
  const cut = (): void => void socket.destroy();
  socket.on('data', cut).once('end', cut);
  return () => void socket.off('data', cut).off('end', cut);
}
