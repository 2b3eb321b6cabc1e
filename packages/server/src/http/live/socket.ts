import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { ticketPrefix } from '@wcc/progress/protocol';
import type { Gateway, Tickets } from '@wcc/progress/server';
import { createGateway } from '@wcc/progress/server';
import { ApiError, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import type { Access } from '../../access/access.ts';
import type { OpenConnection } from '../../access/open-connections.ts';
import type { Principal } from '../../access/principal.ts';
import { networkOf } from '../../config/address-range.ts';
import type { Addresses } from '../addresses.ts';
import type { ClientAddress } from '../client-address.ts';
import { bearerOf } from '../credentials.ts';
import { cutSocket } from '../cut-socket.ts';
import type { SessionCookie } from '../session-cookie.ts';
import type { ServerTicketClaims } from './tickets.ts';
import type { WatchRules } from './watch-rules.ts';

export interface SocketDeps {
  server: Server;
  /** Shared with the event streams. */
  rules: WatchRules;
  access: Access;
  tickets: Tickets<ServerTicketClaims>;
  /** Origins whose pages may show an operation. */
  foreignOrigins: readonly string[];
  addresses: Addresses;
  clientAddress: ClientAddress;
  cookie: SessionCookie;
}

/** Authenticates the upgrade; the socket keeps that principal. */
export function createSocketGateway(deps: SocketDeps): Gateway<Principal> {
  const { access, tickets, addresses } = deps;
  const authenticate = createAuthentication(deps);
  const gateway = createGateway<Principal>({
    ...deps.rules,
    WebSocketServer,
    server: deps.server,
    path: routes.socket(),
    // The gateway of the screens handles all other upgrades.
    fallthrough: true,
    hosts: (host) => addresses.isHost(host),
    origins: (origin, request) =>
      origin === undefined
        ? isProgram(deps, request)
        : addresses.isOrigin(origin, request.headers.host) || isForeignPage(deps, origin, request),
    authenticate,
    clientAddress: (request) => networkOf(deps.clientAddress(request)),
  });
  access.connections.onEnd((isOver) => gateway.closeSessions(isOver));
  access.onRevoked((revocation) => {
    if ('sessionKey' in revocation)
      tickets
        .revokeSession(revocation.sessionKey)
        .catch((error: unknown) => deps.rules.onError(error, { stage: 'tickets: revoke' }));
    // Tickets of a changed user fail at their use, because they name the old version of the user.
  });
  return gateway;
}

/** Answers a plain request to the address of the socket with 426. */
export function registerSocketHint(app: FastifyInstance): void {
  app.get(routes.socket(), async (_request, reply) => {
    void reply.headers({ upgrade: 'websocket' });
    throw new ApiError('upgrade_required');
  });
}

/** A configured origin, together with a ticket, which names its origin. */
function isForeignPage(
  { foreignOrigins }: SocketDeps,
  origin: string,
  { headers }: IncomingMessage,
): boolean {
  return (
    foreignOrigins.includes(origin) && headers['sec-websocket-protocol']?.includes(ticketPrefix) === true
  );
}

/** Without an Origin, the client is a program. It needs a token or ticket and must not send a cookie. */
function isProgram({ cookie }: SocketDeps, { headers }: IncomingMessage): boolean {
  if (cookie.valuesOf(headers).length > 0) return false;
  return (
    bearerOf(headers.authorization) !== null ||
    Boolean(headers['sec-websocket-protocol']?.includes(ticketPrefix))
  );
}

/** Registers each socket before the first look-up. A `refresh` authenticates again on the registered socket. */
function createAuthentication(
  deps: SocketDeps,
): (request: IncomingMessage, ticket: string | null) => Promise<Principal | null> {
  const registered = new WeakMap<Socket, OpenConnection>();
  return async (request, ticket) => {
    const { socket } = request;
    const known = registered.get(socket);
    // The gateway accepts only the same session, so the registration stays right.
    if (known !== undefined) return known.signal.aborted ? null : findPrincipal(deps, request, ticket);
    const cut = (): void => cutSocket(socket);
    const opening = deps.access.connections.begin({ carrier: socket, cut, use: 'watching' });
    try {
      const principal = await findPrincipal(deps, request, ticket);
      const connection = principal === null ? null : opening.admit(principal);
      if (connection !== null) registered.set(socket, connection);
      return connection?.principal ?? null;
    } finally {
      opening.abandon();
    }
  };
}

async function findPrincipal(
  deps: SocketDeps,
  request: IncomingMessage,
  ticket: string | null,
): Promise<Principal | null> {
  const address = deps.clientAddress(request);
  const { authorization, origin } = request.headers;
  if (ticket !== null) {
    // Taken first, so that only one of two concurrent upgrades gets it.
    const claims = await deps.tickets.take(ticket);
    return claims?.purpose === 'watch' ? redeemTicket(deps, { claims, request, address }) : null;
  }
  const secret = bearerOf(authorization);
  if (secret === null || origin !== undefined) return null;
  return deps.access.findBearer(secret, address);
}

export interface Redemption {
  claims: ServerTicketClaims;
  request: Pick<IncomingMessage, 'headers'>;
  address: string;
}

/** A cookie must confirm the session of the ticket, so that a stolen ticket is useless. */
export async function redeemTicket(
  deps: Pick<SocketDeps, 'access' | 'cookie'>,
  { claims, request, address }: Redemption,
): Promise<Principal | null> {
  if (claims.origin !== (request.headers.origin ?? '')) return null;
  const cookies = deps.cookie.valuesOf(request.headers);
  const named = { key: claims.session };
  // A page opens its sockets again without a person.
  const session = await deps.access.sessions.find({ cookies, named }, address, { isUse: false });
  const isLimited = claims.operations !== null;
  // A limited ticket needs no cookie; a cookie of the browser is ignored.
  const isCookieless = isLimited || cookies.length === 0;
  const principal =
    session ?? (isCookieless ? await deps.access.findByTicketHolder(claims.session, address) : null);
  if (principal?.sessionKey !== claims.session) return null;
  const isSame = principal.userId === claims.user && principal.sessionVersion === claims.sessionVersion;
  return isSame ? { ...principal, limitedTo: claims.operations ?? principal.limitedTo } : null;
}
