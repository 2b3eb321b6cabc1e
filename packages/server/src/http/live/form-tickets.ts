import { ApiError, downloadForm } from '@wcc/api';
import type { Tickets } from '@wcc/progress/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { admitRequest } from '../credentials.ts';
import type { CredentialsDeps } from '../credentials.ts';
import { redeemTicket } from './socket.ts';
import type { ServerTicketClaims } from './tickets.ts';
import { parseBody } from '../parse.ts';
import type { WithId } from '../request.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A form of the console posts to this route: a ticket of this purpose for the named thing authenticates it. */
    ticket?: 'download';
  }
}

export interface FormTicketsDeps extends CredentialsDeps {
  tickets: Tickets<ServerTicketClaims>;
}

/**
 * Authenticates requests for which a browser sends no header of a page. The ticket is in the body, because an address
 * stays in the history and in logs.
 */
export function registerFormTickets(app: FastifyInstance, deps: FormTicketsDeps): void {
  const { access, connections } = deps;
  app.addHook('onRequest', async ({ routeOptions, headers }) => {
    // Before the body is read: strangers have no cookie.
    if (routeOptions.config.ticket !== undefined && deps.cookie.valuesOf(headers).length === 0)
      throw new ApiError('unauthenticated');
  });
  app.addHook<WithId>('preHandler', async (request, reply) => {
    const { ticket: purpose } = request.routeOptions.config;
    if (purpose === undefined) return;
    const { ticket } = parseBody(downloadForm, request);
    await admitRequest({ request, reply, access, connections }, async () => {
      const claims = await deps.tickets.take(ticket);
      if (claims?.purpose !== purpose || claims.target !== request.params.id) return null;
      return redeemTicket(deps, { claims, request, address: request.clientAddress });
    });
    if (request.principal === null)
      throw new ApiError('unauthenticated', {
        message: 'The ticket is unknown, used or expired.',
        hint: 'Start the download again.',
      });
  });
}

/** Lets the routes of this scope, and no other, read a form. */
export function acceptForms(scope: FastifyInstance): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string | Buffer) =>
      Object.fromEntries(new URLSearchParams(String(body))),
  );
}
