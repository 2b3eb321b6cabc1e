import type { IncomingMessage } from 'node:http';
import type { Tickets } from './tickets.ts';
import type { WatchPrincipal } from './websocket/options.ts';

/** Options of {@link byTicket}. */
export interface ByTicketOptions {
  /** Returns the session of a request, usually by its cookie; `null` if there is none. */
  session: (request: IncomingMessage) => string | null;
  /** The purpose that a ticket must have. @default 'watch' */
  purpose?: string;
}

/**
 * Creates the `authenticate` option of a gateway. A ticket is valid once, for this purpose, for the session that
 * it was issued to, and from the Origin that requested it.
 */
export function byTicket(
  tickets: Tickets,
  { session, purpose = 'watch' }: ByTicketOptions,
): (request: IncomingMessage, ticket: string | null) => Promise<WatchPrincipal | null> {
  return async (request, ticket) => {
    const claims = ticket === null ? null : tickets.take(ticket);
    const isBound =
      claims?.purpose === purpose &&
      claims.session === session(request) &&
      claims.origin === (request.headers.origin ?? '');
    if (!isBound) return null;
    const { user, session: key, sessionVersion } = claims;
    return { user, session: key, sessionVersion, expiresAtMs: null };
  };
}
