import { ApiError, routes } from '@wcc/api';
import type { VmId } from '@wcc/api';
import { CLOSE_CODES, SUBPROTOCOL, TICKET_PREFIX } from '@wcc/progress';
import { createPlaces } from '@wcc/progress/server';
import type { FastifyInstance } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { OnError } from '@wcc/progress/server';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { isRevoked } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import { createInputFilter } from './rfb-input.ts';
import type { InputFilter } from './rfb-input.ts';
import type { ScreenOfVm } from '../../machines/screen.ts';
import { scheduleExpiry } from '../principal-expiry.ts';
import { bridgeScreen } from './screen-bridge.ts';
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
const screensPerUser = 16;
const upgradesPerAddress = 64;

interface OpenScreen {
  socket: WebSocket;
  principal: Principal;
}

/**
 * Serves screens of machines: binary RFB over a WebSocket. An upgrade needs a ticket of the purpose `screen` for this
 * machine, the session's cookie and the exact Origin. Also refuses every upgrade that no other gateway handles.
 */
export function attachScreens(deps: ScreenDeps): ScreenGateway {
  const gateway = new Screens(deps);
  deps.server.on('upgrade', (request, socket, head) => gateway.handle(request, socket, head));
  deps.access.onRevoked((revocation) => gateway.revoke((principal) => isRevoked(revocation, principal)));
  return gateway;
}

/** How long revocations are remembered: no upgrade takes longer. */
const upgradeMs = 60_000;

class Screens implements ScreenGateway {
  readonly #deps: ScreenDeps;
  readonly #open = new Set<OpenScreen>();
  readonly #users = createPlaces(screensPerUser);
  readonly #pending = createPlaces(upgradesPerAddress);
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytes,
    handleProtocols: () => SUBPROTOCOL,
  });
  /** An upgrade in progress must not outlive its session. */
  #revocations: { atMs: number; isOver: (principal: Principal) => boolean }[] = [];
  #isClosing = false;

  constructor(deps: ScreenDeps) {
    this.#deps = deps;
  }

  get open(): number {
    return this.#open.size;
  }

  close(): void {
    this.#isClosing = true;
    for (const { socket } of this.#open) socket.close(CLOSE_CODES.goingAway);
  }

  revoke(isOver: (principal: Principal) => boolean): void {
    const atMs = performance.now();
    const recent = this.#revocations.filter((one) => one.atMs > atMs - upgradeMs);
    this.#revocations = [...recent, { atMs, isOver }];
    for (const { socket, principal } of this.#open) {
      if (isOver(principal)) socket.close(CLOSE_CODES.sessionEnded);
    }
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = pathOf(request);
    if (path === routes.socket()) return;
    // Before any await, because an unhandled connection reset would end the process.
    socket.on('error', () => socket.destroy());
    const id = pathPattern.exec(path)?.[1];
    const refusal = id === undefined ? 404 : immediateRefusal(this.#deps, request, head.length);
    if (refusal !== null) return refuse(socket, refusal);
    const leave = this.#pending.acquire(this.#deps.clientAddress(request));
    if (leave === null) return refuse(socket, 429);
    this.#admit({ request, socket, id: Number(id) })
      .catch((error: unknown) => refuse(socket, statusOf(error, this.#deps)))
      .finally(leave);
  }

  async #admit({ request, socket, id }: Upgrade): Promise<void> {
    const startedAtMs = performance.now();
    const principal = await authenticate(this.#deps, request, id);
    const screen = await this.#deps.screen(principal, id);
    const leave = this.#users.acquire(principal.userId);
    if (leave === null) throw new ApiError('too_many_watchers');
    try {
      const backend = await screen.open();
      socket.once('close', () => backend.destroy());
      const isOver = this.#revocations.some((one) => one.atMs >= startedAtMs && one.isOver(principal));
      if (!socket.destroyed && !this.#isClosing && !isOver) {
        const filter = viewOnlyOf(request) || !screen.mayInput ? createInputFilter() : null;
        this.#join({ request, socket, principal, id, backend, filter, leave });
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

  #join({ request, socket, principal, id, backend, filter, leave }: Joining): void {
    const { onScreen, onError } = this.#deps;
    this.#server.handleUpgrade(request, socket, Buffer.alloc(0), (webSocket) => {
      const one = { socket: webSocket, principal };
      this.#open.add(one);
      const forgetExpiry = scheduleExpiry(principal, () => webSocket.close(CLOSE_CODES.sessionEnded));
      webSocket.once('close', () => {
        forgetExpiry();
        this.#open.delete(one);
      });
      bridgeScreen(webSocket, backend, { filter });
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
  principal: Principal;
  backend: Duplex;
  filter: InputFilter | null;
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

/** @throws ApiError `unauthenticated`; `forbidden` for a ticket that opens something else */
async function authenticate(deps: ScreenDeps, request: IncomingMessage, id: VmId): Promise<Principal> {
  const ticket = takeTicket(request);
  const claims = ticket === null ? null : deps.tickets.take(ticket);
  if (claims === null) throw new ApiError('unauthenticated');
  if (claims.purpose !== 'screen' || claims.target !== String(id)) throw new ApiError('forbidden');
  const principal = await redeemTicket(deps, { claims, request, address: deps.clientAddress(request) });
  if (principal === null) throw new ApiError('unauthenticated');
  return principal;
}

/** Removes the ticket from the request's headers, so that a log of headers contains no secret. */
function takeTicket(request: IncomingMessage): string | null {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  request.headers['sec-websocket-protocol'] = SUBPROTOCOL;
  const tickets = offered.filter((name) => name.startsWith(TICKET_PREFIX));
  if (!offered.includes(SUBPROTOCOL) || tickets.length !== 1) return null;
  return tickets[0]?.slice(TICKET_PREFIX.length) ?? null;
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
