import { ApiError, routes } from '@wcc/api';
import type { VmId } from '@wcc/api';
import { closeCodes, subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import { sharedLimits } from '@wcc/progress/server';
import type { FastifyInstance } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { OnError } from '@wcc/progress/server';
import { WebSocketServer } from 'ws';
import type { OpenConnection } from '../../access/open-connections.ts';
import { networkOf } from '../../config/address-range.ts';
import type { Principal } from '../../access/principal.ts';
import { createRfbInput } from './rfb-input.ts';
import type { ScreenOfVm } from '../../machines/screen.ts';
import { cutSocket } from '../cut-socket.ts';
import { bridgeScreen } from './screen-bridge.ts';
import type { ScreenBridge } from './screen-bridge.ts';
import { redeemTicket } from './socket.ts';
import type { SocketDeps } from './socket.ts';

export interface ScreenDeps extends Omit<SocketDeps, 'rules' | 'may' | 'server'> {
  server: Server;
  screen: (principal: Principal, id: VmId) => Promise<ScreenOfVm>;
  onScreen: (principal: Principal, id: VmId) => Promise<void>;
  onError: OnError;
}

export interface ScreenGateway {
  readonly open: number;
  close(): void;
}

const pathPattern = /^\/api\/vms\/([1-9]\d{0,14})\/screen$/;
/** Longest client message: a clipboard. */
const messageBytes = 262_144;
/** A browser sends a message as one fragment. */
const maxFragments = 64;
const screensPerUser = 16;
const upgradesPerAddress = 64;

/**
 * Serves screens of machines: binary RFB over a WebSocket. An upgrade needs a ticket of the purpose `screen` for this
 * machine, the session's cookie and the exact Origin. Also refuses every upgrade that no other gateway handles.
 */
export function attachScreens(deps: ScreenDeps): ScreenGateway {
  const gateway = new Screens(deps);
  deps.server.on('upgrade', (request, socket, head) => gateway.handle(request, socket, head));
  return gateway;
}

class Screens implements ScreenGateway {
  readonly #deps: ScreenDeps;
  readonly #open = new Set<ScreenBridge>();
  readonly #users = sharedLimits(screensPerUser);
  readonly #pending = sharedLimits(upgradesPerAddress);
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytes,
    maxFragments,
    handleProtocols: () => subprotocol,
  });
  #isClosing = false;

  constructor(deps: ScreenDeps) {
    this.#deps = deps;
  }

  get open(): number {
    return this.#open.size;
  }

  close(): void {
    this.#isClosing = true;
    for (const bridge of this.#open) bridge.close(closeCodes.goingAway);
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = pathOf(request);
    if (path === routes.socket()) return;
    // Before any await, because an unhandled connection reset would end the process.
    socket.on('error', () => socket.destroy());
    const id = pathPattern.exec(path)?.[1];
    const refusal = id === undefined ? 404 : immediateRefusal(this.#deps, request, head.length);
    if (refusal !== null) return refuse(socket, refusal);
    const leave = this.#pending.acquire(networkOf(this.#deps.clientAddress(request)));
    if (leave === null) return refuse(socket, 429);
    this.#admit({ request, socket, id: Number(id) })
      .catch((error: unknown) => refuse(socket, statusOf(error, this.#deps)))
      .finally(leave);
  }

  async #admit({ request, socket, id }: Upgrade): Promise<void> {
    const connection = await openConnection(this.#deps, { request, socket, id });
    const { principal, signal } = connection;
    const screen = await this.#deps.screen(principal, id);
    const leave = this.#users.acquire(principal.userId);
    if (leave === null) throw new ApiError('too_many_watchers');
    try {
      const backend = await screen.open();
      socket.once('close', () => backend.destroy());
      if (!socket.destroyed && !this.#isClosing && !signal.aborted) {
        const isViewOnly = viewOnlyOf(request) || !screen.mayInput;
        this.#join({ request, socket, connection, id, backend, isViewOnly, leave });
        return;
      }
      backend.destroy();
    } catch (error) {
      leave();
      throw error;
    }
    leave();
    throw new ApiError(this.#isClosing ? 'shutting_down' : 'unauthenticated');
  }

  #join({ request, socket, connection, id, backend, isViewOnly, leave }: Joining): void {
    const { onScreen, onError } = this.#deps;
    const { principal, signal, noteUse } = connection;
    this.#server.handleUpgrade(request, socket, Buffer.alloc(0), (webSocket) => {
      const input = createRfbInput({ isViewOnly, onInput: noteUse });
      const bridge = bridgeScreen({ socket: webSocket, wire: socket, backend, input });
      this.#open.add(bridge);
      webSocket.once('close', () => this.#open.delete(bridge));
      signal.addEventListener('abort', () => bridge.close(closeCodes.sessionEnded));
      onScreen(principal, id).catch((error: unknown) => onError(error, { stage: 'screen: audit' }));
    });
    socket.once('close', leave);
  }
}

interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  id: VmId;
}

interface Joining extends Upgrade {
  connection: OpenConnection;
  backend: Duplex;
  isViewOnly: boolean;
  /** Releases the user's slot. */
  leave: () => void;
}

/** Answers a plain HTTP request to a screen's address. */
export function registerScreenHint(app: FastifyInstance): void {
  app.get('/api/vms/:id/screen', async (_request, reply) => {
    void reply.headers({ upgrade: 'websocket' });
    throw new ApiError('upgrade_required');
  });
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}

function viewOnlyOf({ url = '/' }: IncomingMessage): boolean {
  return new URLSearchParams(url.split('?', 2)[1] ?? '').get('viewOnly') === 'true';
}

/** The status of a refusal that needs no lookup; null when there is none. */
function immediateRefusal(
  deps: ScreenDeps,
  { headers, method }: IncomingMessage,
  headBytes: number,
): number | null {
  const { host, origin } = headers;
  if (!deps.addresses.isHost(host)) return 403;
  // A request without Origin is not from a browser, so it must not have a cookie.
  const isOwn = origin === undefined ? headers.cookie === undefined : deps.addresses.isOrigin(origin, host);
  if (!isOwn) return 403;
  if (method !== 'GET') return 400;
  if (headers.upgrade?.toLowerCase() !== 'websocket' || headers['sec-websocket-version'] !== '13') return 426;
  return headBytes > 0 ? 400 : null;
}

/** Registers the socket before the first look-up. @throws ApiError as {@link authenticate} */
async function openConnection(deps: ScreenDeps, { request, socket, id }: Upgrade): Promise<OpenConnection> {
  const cut = (): void => cutSocket(socket);
  const opening = deps.access.connections.begin({ carrier: socket, cut, use: 'nothing' });
  try {
    const connection = opening.admit(await authenticate(deps, request, id));
    if (connection === null) throw new ApiError('unauthenticated');
    return connection;
  } finally {
    opening.abandon();
  }
}

/** @throws ApiError `unauthenticated`; `forbidden` for a ticket that opens something else */
async function authenticate(deps: ScreenDeps, request: IncomingMessage, id: VmId): Promise<Principal> {
  const ticket = takeTicket(request);
  const claims = ticket === null ? null : await deps.tickets.take(ticket);
  if (claims === null) throw new ApiError('unauthenticated');
  if (claims.purpose !== 'screen' || claims.target !== String(id)) throw new ApiError('forbidden');
  const principal = await redeemTicket(deps, { claims, request, address: deps.clientAddress(request) });
  if (principal === null) throw new ApiError('unauthenticated');
  return principal;
}

/** Removes the ticket from the request's headers, so that a log of headers contains no secret. */
function takeTicket(request: IncomingMessage): string | null {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  request.headers['sec-websocket-protocol'] = subprotocol;
  const tickets = offered.filter((name) => name.startsWith(ticketPrefix));
  if (!offered.includes(subprotocol) || tickets.length !== 1) return null;
  return tickets[0]?.slice(ticketPrefix.length) ?? null;
}

function statusOf(error: unknown, { onError }: ScreenDeps): number {
  if (error instanceof ApiError) return error.status;
  onError(error, { stage: 'screen: upgrade' });
  return 500;
}

const lingerMs = 1000;

/** Sends a short plain answer, then closes the socket. */
function refuse(socket: Duplex, status: number): void {
  if (socket.destroyed) return;
  const body = `${STATUS_CODES[status] ?? 'Refused'}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Cache-Control: no-store',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  // Unread bytes would make the kernel send a reset instead of the answer.
  socket.resume();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => clearTimeout(timer));
}
