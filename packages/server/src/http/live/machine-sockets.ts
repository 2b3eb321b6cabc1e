import { ApiError, routes } from '@wcc/api';
import type { VmId } from '@wcc/api';
import { closeCodes, subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import type { CloseCode } from '@wcc/progress/protocol';
import { sharedLimits } from '@wcc/progress/server';
import type { OnError } from '@wcc/progress/server';
import type { FastifyInstance } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { OpenConnection } from '../../access/open-connections.ts';
import { networkOf } from '../../config/address-range.ts';
import type { Principal } from '../../access/principal.ts';
import { cutSocket } from '../cut-socket.ts';
import { redeemTicket } from './socket.ts';
import type { SocketDeps } from './socket.ts';

/** What a socket of a machine can be for. A ticket names one of them. */
export type MachineSocketKind = 'screen' | 'serial';

/** The other side of a socket: what the machine gives. */
export interface MachineChannel {
  /** Passes its bytes to the page, and ends when the page leaves. */
  join(socket: WebSocket, wire: Duplex): MachineBridge;
  /** Releases what was opened for a page that left before {@link join}. */
  abandon(): void;
}

export interface MachineBridge {
  /** From this call on no byte passes in either direction. The socket is closed, and terminated within a second. */
  close(code: CloseCode): void;
}

export interface ChannelRequest {
  id: VmId;
  connection: OpenConnection;
  query: URLSearchParams;
}

/** Checks the right, then opens the machine's side. @throws ApiError */
export type OpenChannel = (request: ChannelRequest) => Promise<MachineChannel>;

export interface MachineSocketsDeps extends Omit<SocketDeps, 'rules' | 'may' | 'server'> {
  server: Server;
  channels: Readonly<Record<MachineSocketKind, OpenChannel>>;
  limits: MachineSocketLimits;
  onError: OnError;
}

/** Open sockets of each user, counted for each kind. */
export type MachineSocketLimits = Readonly<Record<MachineSocketKind, ReturnType<typeof sharedLimits>>>;

export interface MachineSockets {
  readonly open: number;
  close(): void;
}

const pathPattern = /^\/api\/vms\/([1-9]\d{0,14})\/(?:(screen)|(serial)\/socket)$/;
/** Longest client message: a clipboard. */
const messageBytes = 262_144;
/** A browser sends a message as one fragment. */
const maxFragments = 64;
export const machineSocketsPerUser = 16;
const upgradesPerAddress = 64;

export function createMachineSocketLimits(): MachineSocketLimits {
  return { screen: sharedLimits(machineSocketsPerUser), serial: sharedLimits(machineSocketsPerUser) };
}

/** Refuses a ticket that no socket could use now. @throws ApiError `too_many_watchers` */
export function assertFreeSocket(
  limits: MachineSocketLimits,
  { kind, principal }: { kind: MachineSocketKind; principal: Principal },
): void {
  if (limits[kind].count(principal.userId) >= machineSocketsPerUser) throw new ApiError('too_many_watchers');
}

/**
 * Serves screens and serial logs of machines over WebSockets. An upgrade needs a ticket for this purpose and machine,
 * the session's cookie and the exact Origin. Also refuses every upgrade that no other gateway handles.
 */
export function attachMachineSockets(deps: MachineSocketsDeps): MachineSockets {
  const gateway = new Gateway(deps);
  deps.server.on('upgrade', (request, socket, head) => gateway.handle(request, socket, head));
  return gateway;
}

class Gateway implements MachineSockets {
  readonly #deps: MachineSocketsDeps;
  readonly #open = new Set<MachineBridge>();
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

  constructor(deps: MachineSocketsDeps) {
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
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    if (path === routes.socket()) return;
    // Before any await, because an unhandled connection reset would end the process.
    socket.on('error', () => socket.destroy());
    const target = targetOf(path);
    const refusal = target === null ? 404 : immediateRefusal(this.#deps, request, head.length);
    if (target === null || refusal !== null) return refuse(socket, refusal ?? 404);
    const leave = this.#pending.acquire(networkOf(this.#deps.clientAddress(request)));
    if (leave === null) return refuse(socket, 429);
    this.#admit({ ...target, request, socket, query: new URLSearchParams(query) })
      .catch((error: unknown) => refuse(socket, statusOf(error, this.#deps)))
      .finally(leave);
  }

  async #admit(upgrade: Upgrade): Promise<void> {
    const { socket, kind, id, query } = upgrade;
    const connection = await openConnection(this.#deps, upgrade);
    const leave = this.#deps.limits[kind].acquire(connection.principal.userId);
    if (leave === null) throw new ApiError('too_many_watchers');
    try {
      const channel = await this.#deps.channels[kind]({ id, connection, query });
      socket.once('close', () => channel.abandon());
      if (!socket.destroyed && !this.#isClosing && !connection.signal.aborted) {
        this.#join(upgrade, { connection, channel });
        socket.once('close', leave);
        return;
      }
      channel.abandon();
    } catch (error) {
      leave();
      throw error;
    }
    leave();
    throw new ApiError(this.#isClosing ? 'shutting_down' : 'unauthenticated');
  }

  #join({ request, socket }: Upgrade, { connection, channel }: Joining): void {
    this.#server.handleUpgrade(request, socket, Buffer.alloc(0), (webSocket) => {
      const bridge = channel.join(webSocket, socket);
      this.#open.add(bridge);
      webSocket.once('close', () => this.#open.delete(bridge));
      connection.signal.addEventListener('abort', () => bridge.close(closeCodes.sessionEnded));
    });
  }
}

interface Target {
  kind: MachineSocketKind;
  id: VmId;
}

interface Upgrade extends Target {
  request: IncomingMessage;
  socket: Duplex;
  query: URLSearchParams;
}

interface Joining {
  connection: OpenConnection;
  channel: MachineChannel;
}

/** Answers a plain HTTP request to the address of a machine's socket. */
export function registerMachineSocketHints(app: FastifyInstance): void {
  for (const path of ['/api/vms/:id/screen', '/api/vms/:id/serial/socket']) {
    app.get(path, async (_request, reply) => {
      void reply.headers({ upgrade: 'websocket' });
      throw new ApiError('upgrade_required');
    });
  }
}

/** Null for any other address. */
function targetOf(path: string): Target | null {
  const [, id, screen] = pathPattern.exec(path) ?? [];
  return id === undefined ? null : { kind: screen === undefined ? 'serial' : 'screen', id: Number(id) };
}

/** The status of a refusal that needs no lookup; null when there is none. */
function immediateRefusal(
  deps: MachineSocketsDeps,
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
async function openConnection(deps: MachineSocketsDeps, upgrade: Upgrade): Promise<OpenConnection> {
  const { socket } = upgrade;
  const cut = (): void => cutSocket(socket);
  const opening = deps.access.connections.begin({ carrier: socket, cut, use: 'nothing' });
  try {
    const connection = opening.admit(await authenticate(deps, upgrade));
    if (connection === null) throw new ApiError('unauthenticated');
    return connection;
  } finally {
    opening.abandon();
  }
}

/** @throws ApiError `unauthenticated`; `forbidden` for a ticket that opens something else */
async function authenticate(deps: MachineSocketsDeps, { request, kind, id }: Upgrade): Promise<Principal> {
  const ticket = takeTicket(request);
  const claims = ticket === null ? null : await deps.tickets.take(ticket);
  if (claims === null) throw new ApiError('unauthenticated');
  if (claims.purpose !== kind || claims.target !== String(id)) throw new ApiError('forbidden');
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

function statusOf(error: unknown, { onError }: MachineSocketsDeps): number {
  if (error instanceof ApiError) return error.status;
  onError(error, { stage: 'machine socket: upgrade' });
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
