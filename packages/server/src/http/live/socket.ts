import type { IncomingMessage, Server } from 'node:http';
import type { Rights, Snapshot } from '@wcc/progress';
import { TICKET_PREFIX } from '@wcc/progress';
import type { Tickets, WebSocketGateway } from '@wcc/progress/server';
import { attachWebSocket } from '@wcc/progress/server';
import { ApiError, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../../access/access.ts';
import { isRevoked } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import type { Addresses } from '../addresses.ts';
import type { ClientAddress } from '../client-address.ts';
import { bearerOf } from '../credentials.ts';
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
  cookie: string;
  may: (principal: Principal, snapshot: Snapshot) => Rights;
  parseCookie: (header: string) => Record<string, string | undefined>;
}

/** Authenticates the upgrade; the socket keeps that principal. */
export function createSocketGateway(deps: SocketDeps): WebSocketGateway<Principal> {
  const { access, tickets, addresses } = deps;
  const gateway = attachWebSocket<Principal>({
    ...deps.rules,
    server: deps.server,
    path: routes.socket(),
    // The gateway of the screens handles all other upgrades.
    fallthrough: true,
    hosts: (host) => addresses.isHost(host),
    origins: (origin, request) =>
      origin === undefined
        ? isProgram(deps, request)
        : addresses.isOrigin(origin, request.headers.host) || isForeignPage(deps, origin, request),
    authenticate: (request, ticket) => authenticate(deps, request, ticket),
    may: deps.may,
    clientAddress: deps.clientAddress,
  });
  access.onRevoked((revocation) => {
    if ('sessionKey' in revocation) tickets.revokeSession(revocation.sessionKey);
    // Tickets of a changed user fail at their use, because they name the old version of the user.
    gateway.closeSessions((principal) => isRevoked(revocation, principal));
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
    foreignOrigins.includes(origin) && headers['sec-websocket-protocol']?.includes(TICKET_PREFIX) === true
  );
}

/** Without an Origin, the client is a program. It needs a token or ticket and must not send a cookie. */
function isProgram(deps: SocketDeps, { headers }: IncomingMessage): boolean {
  if (cookieOf(deps, headers.cookie) !== undefined) return false;
  return (
    bearerOf(headers.authorization) !== null ||
    Boolean(headers['sec-websocket-protocol']?.includes(TICKET_PREFIX))
  );
}

function cookieOf(
  { parseCookie, cookie }: Pick<SocketDeps, 'parseCookie' | 'cookie'>,
  header: string | undefined,
): string | undefined {
  return header === undefined ? undefined : parseCookie(header)[cookie];
}

async function authenticate(
  deps: SocketDeps,
  request: IncomingMessage,
  ticket: string | null,
): Promise<Principal | null> {
  const address = deps.clientAddress(request);
  const { authorization, origin } = request.headers;
  if (ticket !== null) {
    // Taken before the first await, so that only one of two concurrent upgrades gets it.
    const claims = deps.tickets.take(ticket);
    return claims?.purpose === 'watch' ? redeemTicket(deps, { claims, request, address }) : null;
  }
  const secret = bearerOf(authorization);
  if (secret === null || origin !== undefined) return null;
  return deps.access.findBearer(secret, address);
}

export interface Redemption {
  claims: ServerTicketClaims;
  request: IncomingMessage;
  address: string;
}

/** The ticket must belong to the valid session of the cookie, so that a stolen ticket is useless. */
export async function redeemTicket(
  deps: Pick<SocketDeps, 'access' | 'cookie' | 'parseCookie'>,
  { claims, request, address }: Redemption,
): Promise<Principal | null> {
  if (claims.origin !== (request.headers.origin ?? '')) return null;
  const cookie = cookieOf(deps, request.headers.cookie);
  const session = cookie === undefined ? null : await deps.access.sessions.find(cookie, address);
  const principal = await principalOfTicket(deps, {
    claims,
    session,
    hasCookie: cookie !== undefined,
    address,
  });
  if (principal?.sessionKey !== claims.session) return null;
  const isSame = principal.userId === claims.user && principal.sessionVersion === claims.sessionVersion;
  return isSame ? { ...principal, limitedTo: claims.operations ?? principal.limitedTo } : null;
}

/** A limited ticket needs no cookie; a cookie of the browser is ignored. */
function principalOfTicket(
  { access }: Pick<SocketDeps, 'access'>,
  {
    claims,
    session,
    hasCookie,
    address,
  }: { claims: ServerTicketClaims; session: Principal | null; hasCookie: boolean; address: string },
): Promise<Principal | null> | Principal | null {
  if (session?.sessionKey === claims.session) return session;
  return claims.operations === null && hasCookie ? null : access.findByTicketHolder(claims.session, address);
}

/** Keys of the sessions with an open socket; an open page counts as use. */
export function openSessions(gateway: WebSocketGateway<Principal>): string[] {
  const sessions = gateway.principals().filter(({ kind }) => kind === 'session');
  return [...new Set(sessions.map(({ sessionKey }) => sessionKey))];
}
