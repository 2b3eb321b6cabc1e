import type { Ticket, VmId } from '@wcc/api';
import { ApiError, routes, ticketRequest } from '@wcc/api';
import type { TicketClaims, Tickets } from '@wcc/progress/server';
import { TicketError } from '@wcc/progress/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { audit } from '../../access/audit.ts';
import type { Principal } from '../../access/principal.ts';
import type { Snapshot } from '@wcc/progress';
import type { Store } from '../../storage/store.ts';
import { assertRequestRight } from '../credentials.ts';
import { parseBody } from '../parse.ts';

/** The claims of a ticket. */
export interface ServerTicketClaims extends TicketClaims {
  /** The only operations that its socket may watch; null: no limit. */
  operations: readonly string[] | null;
}

export interface TicketsDeps {
  tickets: Tickets<ServerTicketClaims>;
  store: Store;
  /** Origins whose pages may show an operation. */
  foreignOrigins: readonly string[];
  /** @throws ApiError `not_found` when the principal may not watch it */
  watchable: (id: string, principal: Principal) => Promise<Snapshot>;
  /** @throws ApiError when the principal may not see the screen, or the machine has none now */
  screen: (principal: Principal, id: VmId) => Promise<unknown>;
}

/** Issues tickets: the right to open one socket within 30 s, bound to session, user and origin (docs/security.md). */
export function registerTickets(app: FastifyInstance, deps: TicketsDeps): void {
  app.post(routes.tickets(), { config: { limit: 'ticket' } }, async (request): Promise<Ticket> => {
    const principal = assertRequestRight(request, 'ticket.make');
    const body = parseBody(ticketRequest, request);
    if (body.purpose === 'screen') return screenTicket(deps, { request, principal, target: body.target });
    const operations = await limitOf(deps, principal, body.operations);
    const origin = originOf(deps, { request, principal, named: body.origin, operations });
    const { sessionKey: session, userId: user, sessionVersion } = principal;
    const claims = { session, user, sessionVersion, purpose: 'watch', origin, operations };
    const issued = issue(deps.tickets, claims);
    if (body.origin !== undefined) await auditForeign(deps.store, principal, origin);
    return operations === null ? issued : { ...issued, operations: [...operations] };
  });
}

/** A ticket for the screen of one machine, for the console or a program. */
async function screenTicket(
  { tickets, screen }: TicketsDeps,
  {
    request,
    principal,
    target,
  }: { request: FastifyRequest; principal: Principal; target: string | undefined },
): Promise<Ticket> {
  if (target === undefined || !/^[1-9]\d{0,14}$/.test(target) || request.isForeignPage)
    throw new ApiError('not_found');
  await screen(principal, Number(target));
  const { sessionKey: session, userId: user, sessionVersion } = principal;
  const origin = request.headers.origin ?? '';
  const claims = { session, user, sessionVersion, purpose: 'screen', target, origin, operations: null };
  return issue(tickets, claims);
}

/** The named operations must be visible now. Rights are checked again at the use and at each event. */
async function limitOf(
  { watchable }: TicketsDeps,
  principal: Principal,
  named: readonly string[] | undefined,
): Promise<readonly string[] | null> {
  const operations = named ?? principal.limitedTo;
  if (operations === null) return null;
  await Promise.all(operations.map((id) => watchable(id, principal)));
  return operations;
}

interface Wanted {
  request: FastifyRequest;
  principal: Principal;
  /** Origin that a backend names for its page. */
  named: string | undefined;
  operations: readonly string[] | null;
}

/** The only origin that may use the ticket; empty for a program. */
function originOf(
  { foreignOrigins }: TicketsDeps,
  { request, principal, named, operations }: Wanted,
): string {
  const own = request.headers.origin ?? '';
  const isForeign = named !== undefined || request.isForeignPage;
  if (!isForeign) return own;
  if (operations === null) {
    const message = 'A ticket for a foreign page must name its operations.';
    throw new ApiError('invalid_input', { field: 'operations', message });
  }
  if (named === undefined) return own;
  const isProgram = principal.kind === 'token' || principal.kind === 'admin-token';
  if (isProgram && request.headers.origin === undefined && foreignOrigins.includes(named)) return named;
  throw new ApiError('foreign_origin', {
    message: isProgram
      ? 'This origin is not one of --foreign-origins.'
      : 'Only a bearer token may name an origin.',
    hint: 'Start wcc with --foreign-origins; let the backend of that page request the ticket with its token.',
  });
}

function issue(
  tickets: Tickets<ServerTicketClaims>,
  claims: ServerTicketClaims,
): { ticket: string; expiresInS: number } {
  try {
    return tickets.issue(claims);
  } catch (cause) {
    if (cause instanceof TicketError) throw new ApiError('too_many_tickets', { retryAfterS: 30, cause });
    throw cause;
  }
}

async function auditForeign(store: Store, principal: Principal, origin: string): Promise<void> {
  await store.write([audit(principal, 'ticket.foreign', `origin:${origin}`)]);
}
