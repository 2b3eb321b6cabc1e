import type { ImageId, Ticket, VmId } from '@wcc/api';
import { ApiError, routes, ticketRequest } from '@wcc/api';
import type { TicketClaims, Tickets } from '@wcc/progress/server';
import { ProgressError } from '@wcc/progress';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { audit } from '../../access/audit.ts';
import type { Principal } from '../../access/principal.ts';
import type { Snapshot } from '@wcc/progress';
import type { Store } from '../../storage/store.ts';
import { assertRequestRight } from '../credentials.ts';
import { parseBody } from '../parse.ts';

/** The claims of a ticket. */
export interface ServerTicketClaims extends TicketClaims {
  purpose: 'watch' | 'screen' | 'serial' | 'download';
  sessionVersion: number;
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
  targets: TicketTargets;
}

/** What a ticket can be for, besides watching. Each checks that the principal may open the thing with this id now. */
export interface TicketTargets {
  /** @throws ApiError when the principal may not see the screen, or the machine has none now */
  screen: (principal: Principal, id: VmId) => Promise<unknown>;
  /** @throws ApiError when the principal may not read the serial log now */
  serial: (principal: Principal, id: VmId) => Promise<unknown>;
  /** @throws ApiError when the principal may not download the image, or its file cannot be read now */
  download: (principal: Principal, id: ImageId) => Promise<unknown>;
}

/**
 * Issues tickets: the right to open one socket or download within 30 s, bound to session, user and origin
 * (docs/security.md).
 */
export function registerTickets(app: FastifyInstance, deps: TicketsDeps): void {
  app.post(
    routes.tickets(),
    { config: { limit: 'ticket', right: 'ticket.make' } },
    async (request): Promise<Ticket> => {
      const principal = assertRequestRight(request, 'ticket.make');
      const body = parseBody(ticketRequest, request);
      const { purpose, target } = body;
      if (purpose !== 'watch') return targetTicket(deps, { request, principal, purpose, target });
      const operations = await limitOf(deps, principal, body.operations);
      const origin = originOf(deps, { request, principal, named: body.origin, operations });
      const { sessionKey: session, userId: user, sessionVersion } = principal;
      const claims = { session, user, sessionVersion, purpose: 'watch' as const, origin, operations };
      const issued = await issue(deps.tickets, claims);
      if (body.origin !== undefined) await auditForeign(deps.store, principal, origin);
      return operations === null ? issued : { ...issued, operations: [...operations] };
    },
  );
}

interface TargetRequest {
  request: FastifyRequest;
  principal: Principal;
  purpose: keyof TicketTargets;
  target: string | undefined;
}

/** A ticket for the screen or serial log of one machine, or for the bytes of one image, for the console or a program. */
async function targetTicket(
  { tickets, targets }: TicketsDeps,
  { request, principal, purpose, target }: TargetRequest,
): Promise<Ticket> {
  if (target === undefined || !/^[1-9]\d{0,14}$/.test(target) || request.isForeignPage)
    throw new ApiError('not_found');
  await targets[purpose](principal, Number(target));
  const { sessionKey: session, userId: user, sessionVersion } = principal;
  const origin = request.headers.origin ?? '';
  const claims = {
    session,
    user,
    sessionVersion,
    purpose,
    target,
    origin,
    operations: null,
  };
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

async function issue(tickets: Tickets<ServerTicketClaims>, claims: ServerTicketClaims): Promise<Ticket> {
  try {
    return await tickets.issue(claims);
  } catch (cause) {
    if (cause instanceof ProgressError && cause.code === 'too_many_tickets')
      throw new ApiError('too_many_tickets', { retryAfterS: 30, cause });
    throw cause;
  }
}

async function auditForeign(store: Store, principal: Principal, origin: string): Promise<void> {
  await store.write([audit(principal, 'ticket.foreign', `origin:${origin}`)]);
}
