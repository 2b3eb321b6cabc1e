import type { IncomingMessage } from 'node:http';
import type { Tickets } from './tickets.ts';
import type { WatchPrincipal } from './websocket/options.ts';

export interface ByTicketOptions {
  /** The session of a request by its cookie, as your other routes know it; `null` when there is none. */
  session: (request: IncomingMessage) => string | null;
  /** What a ticket has to be for. @default 'watch' */
  purpose?: string;
}

/**
 * The `authenticate` of a gateway whose tickets are bound as they should be: taken once, for this purpose, used by the
 * session that it was issued to, and from the Origin that asked for it.
 */
export function byTicket(
  tickets: Tickets,
  { session, purpose = 'watch' }: ByTicketOptions,
): (request: IncomingMessage, ticket: string | null) => Promise<WatchPrincipal | null> {
  return async (request, ticket) => {
    const claims = ticket === null ? null : tickets.take(ticket);
    const isHis =
      claims?.purpose === purpose &&
      claims.session === session(request) &&
      claims.origin === (request.headers.origin ?? '');
    if (!isHis) return null;
    const { user, session: key, sessionVersion } = claims;
    return { user, session: key, sessionVersion, expiresAtMs: null };
  };
}
