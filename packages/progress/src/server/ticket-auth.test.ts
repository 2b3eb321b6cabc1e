import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ticketAuth } from './ticket-auth.ts';
import { createTickets } from './tickets.ts';
import type { TicketClaims } from './tickets/store.ts';

const origin = 'https://wcc.example';
const claims: TicketClaims = { session: 's1', user: 'u1', purpose: 'watch', origin, sessionVersion: 3 };
const requestFrom = (headers: IncomingMessage['headers']): IncomingMessage =>
  ({ headers }) as IncomingMessage;
const session = ({ headers }: IncomingMessage): string | null => headers.cookie ?? null;

describe('ticketAuth', () => {
  it('returns the principal of a ticket once', async () => {
    const tickets = createTickets();
    const authenticate = ticketAuth(tickets, { session });
    const { ticket } = await tickets.issue(claims);
    const request = requestFrom({ cookie: 's1', origin });
    expect(await authenticate(request, ticket)).toEqual({
      user: 'u1',
      session: 's1',
      sessionVersion: 3,
      expiresAtMs: null,
    });
    expect(await authenticate(request, ticket)).toBeNull();
  });

  it.each([
    ['another session', { cookie: 's2', origin }, claims],
    ['no session', { origin }, claims],
    ['another Origin', { cookie: 's1', origin: 'https://evil.example' }, claims],
    ['no Origin', { cookie: 's1' }, claims],
    ['another purpose', { cookie: 's1', origin }, { ...claims, purpose: 'screen' }],
  ])('refuses %s and deletes the ticket', async (_what, headers, issued) => {
    const tickets = createTickets();
    const { ticket } = await tickets.issue(issued);
    expect(await ticketAuth(tickets, { session })(requestFrom(headers), ticket)).toBeNull();
    expect(await tickets.take(ticket)).toBeNull();
  });

  it('refuses a missing ticket and accepts another purpose if configured', async () => {
    const tickets = createTickets();
    const request = requestFrom({ cookie: 's1', origin });
    expect(await ticketAuth(tickets, { session })(request, null)).toBeNull();
    const { ticket } = await tickets.issue({ ...claims, purpose: 'screen' });
    const authenticate = ticketAuth(tickets, { session, purpose: 'screen' });
    expect(await authenticate(request, ticket)).toMatchObject({ user: 'u1' });
  });
});
