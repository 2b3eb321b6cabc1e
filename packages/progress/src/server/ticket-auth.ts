import type { IncomingMessage } from 'node:http';
import type { Tickets } from './tickets.ts';
import type { TicketClaims } from './tickets/store.ts';
import type { WatchIdentity } from './gateway/options.ts';

/** Options of {@link ticketAuth}. */
export interface TicketAuthOptions {
  /** Returns the session of a request, usually by its cookie; `null` if there is none. */
  session: (request: IncomingMessage) => string | null | Promise<string | null>;
  /** The purpose that a ticket must have. @default 'watch' */
  purpose?: string;
}

/**
 * Creates the `authenticate` option of a gateway. A ticket is valid once, for this purpose, for the session that
 * it was issued to, and from the Origin that requested it.
 */
export function ticketAuth(
  tickets: Tickets,
  { session, purpose = 'watch' }: TicketAuthOptions,
): (
  request: IncomingMessage,
  ticket: string | null,
) => Promise<(WatchIdentity & Pick<TicketClaims, 'sessionVersion'>) | null> {
  return async (request, ticket) => {
    const claims = ticket === null ? null : await tickets.take(ticket);
    const isBound =
      (claims?.purpose ?? 'watch') === purpose &&
      claims?.origin === (request.headers.origin ?? '') &&
      claims.session === (await session(request));
    if (!isBound) return null;
    const { user, session: key, sessionVersion } = claims;
    const version = sessionVersion === undefined ? {} : { sessionVersion };
    return { user, session: key, ...version, expiresAtMs: null };
  };
}
