import type { IncomingMessage, Server } from 'node:http';
import type { Rights, Snapshot } from '@wcc/progress';
import { TICKET_PREFIX } from '@wcc/progress';
import type { Hub, TicketClaims, Tickets, WebSocketGateway } from '@wcc/progress/server';
import { attachWebSocket } from '@wcc/progress/server';
import { ApiError, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import type { Addresses } from './addresses.ts';
import type { ClientAddress } from './client-address.ts';
import { bearerOf } from './credentials.ts';

export interface SocketDeps {
  server: Server;
  hub: Hub;
  access: Access;
  tickets: Tickets;
  addresses: () => Addresses;
  clientAddress: ClientAddress;
  cookie: string;
  may: (principal: Principal, snapshot: Snapshot) => Rights;
  lookup: (id: string) => Promise<Snapshot | undefined>;
  parseCookie: (header: string) => Record<string, string | undefined>;
  onError: (error: unknown, context: { stage: string }) => void;
}

/** Page 04, "Binding": the socket carries the principal that was authenticated before the upgrade. */
export function createSocketGateway(deps: SocketDeps): WebSocketGateway<Principal> {
  const { access, tickets, addresses } = deps;
  const gateway = attachWebSocket<Principal>({
    hub: deps.hub,
    server: deps.server,
    path: routes.socket(),
    hosts: (host) => addresses().isHost(host),
    origins: (origin, request) =>
      origin === undefined ? isProgram(deps, request) : addresses().isOrigin(origin, request.headers.host),
    authenticate: (request, ticket) => authenticate(deps, request, ticket),
    user: ({ userId, sessionKey, expiresAtMs }) => ({ user: userId, session: sessionKey, expiresAtMs }),
    authorize: (principal, _action, snapshot) => can(principal, 'operation.watch', { owner: snapshot.owner }),
    may: deps.may,
    lookup: deps.lookup,
    clientAddress: deps.clientAddress,
    onError: deps.onError,
  });
  access.onRevoked((revocation) => {
    if ('sessionKey' in revocation) tickets.revokeSession(revocation.sessionKey);
    // Tickets of a changed user die at their use: the version that they name is gone.
    gateway.closeSessions((principal) =>
      'sessionKey' in revocation
        ? principal.sessionKey === revocation.sessionKey
        : principal.userId === revocation.userId,
    );
  });
  return gateway;
}

/** A plain request to the socket's address never reaches the gateway. */
export function registerSocketHint(app: FastifyInstance): void {
  app.get(routes.socket(), async (_request, reply) => {
    void reply.headers({ upgrade: 'websocket' });
    throw new ApiError('upgrade_required');
  });
}

/** No Origin: no browser. It must not carry a cookie, and must bring a right of its own. */
function isProgram(deps: SocketDeps, { headers }: IncomingMessage): boolean {
  if (cookieOf(deps, headers.cookie) !== undefined) return false;
  return (
    bearerOf(headers.authorization) !== null ||
    Boolean(headers['sec-websocket-protocol']?.includes(TICKET_PREFIX))
  );
}

function cookieOf({ parseCookie, cookie }: SocketDeps, header: string | undefined): string | undefined {
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
    // Taken before anything is awaited: of two upgrades at once, one finds it.
    const claims = deps.tickets.take(ticket);
    return claims === null ? null : redeem(deps, { claims, request, address });
  }
  const secret = bearerOf(authorization);
  if (secret === null || origin !== undefined) return null;
  return deps.access.findBearer(secret, address);
}

interface Redemption {
  claims: TicketClaims;
  request: IncomingMessage;
  address: string;
}

/** The ticket's session must be the cookie's, alive and unchanged: a ticket alone, stolen, opens nothing. */
async function redeem(deps: SocketDeps, { claims, request, address }: Redemption): Promise<Principal | null> {
  if (claims.purpose !== 'watch' || claims.origin !== (request.headers.origin ?? '')) return null;
  const cookie = cookieOf(deps, request.headers.cookie);
  const principal =
    cookie === undefined
      ? await deps.access.findHolder(claims.session, address)
      : await deps.access.sessions.find(cookie, address);
  if (principal?.sessionKey !== claims.session) return null;
  return principal.userId === claims.user && principal.sessionVersion === claims.sessionVersion
    ? principal
    : null;
}

/** Keys of the sessions that hold an open socket: an open page counts as use. */
export function openSessions(gateway: WebSocketGateway<Principal>): string[] {
  const keys = new Set<string>();
  // The gateway asks about every socket; none is closed, because none is named.
  gateway.closeSessions(({ kind, sessionKey }) => {
    if (kind === 'session') keys.add(sessionKey);
    return false;
  });
  return [...keys];
}
