import type { Ticket } from '@wcc/api';
import { ApiError, routes, ticketRequest } from '@wcc/api';
import type { Tickets } from '@wcc/progress/server';
import { TicketError } from '@wcc/progress/server';
import type { FastifyInstance } from 'fastify';
import { requireRight } from './credentials.ts';
import { parseBody } from './parse.ts';

/** Page 04, step 2: the right to open one socket within 30 s, bound to session, user and origin. */
export function registerTickets(app: FastifyInstance, { tickets }: { tickets: Tickets }): void {
  app.post(routes.tickets(), { config: { limit: 'ticket' } }, async (request): Promise<Ticket> => {
    const principal = requireRight(request, 'ticket.make');
    const { purpose } = parseBody(ticketRequest, request);
    // A screen belongs to a machine; there is none that could be named.
    if (purpose !== 'watch') throw new ApiError('not_found');
    try {
      return tickets.issue({
        session: principal.sessionKey,
        user: principal.userId,
        sessionVersion: principal.sessionVersion,
        purpose,
        // Empty for a program: its socket must come without an Origin then.
        origin: request.headers.origin ?? '',
      });
    } catch (cause) {
      if (cause instanceof TicketError) throw new ApiError('too_many_tickets', { retryAfterS: 30, cause });
      throw cause;
    }
  });
}
