import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { byTicket } from './by-ticket.ts';
import { createTickets } from './tickets.ts';
import type { TicketClaims } from './tickets.ts';

const origin = 'https://wcc.example';
const claims: TicketClaims = { session: 's1', user: 'u1', purpose: 'watch', origin, sessionVersion: 3 };
const requestFrom = (headers: IncomingMessage['headers']): IncomingMessage =>
  ({ headers }) as IncomingMessage;
const session = ({ headers }: IncomingMessage): string | null => headers.cookie ?? null;

describe('byTicket', () => {
  it('returns the principal of a ticket once', async () => {
    const tickets = createTickets();
    const authenticate = byTicket(tickets, { session });
    const { ticket } = tickets.issue(claims);
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
    const { ticket } = tickets.issue(issued);
    expect(await byTicket(tickets, { session })(requestFrom(headers), ticket)).toBeNull();
    expect(tickets.take(ticket)).toBeNull();
  });

  it('refuses a missing ticket and accepts another purpose if configured', async () => {
    const tickets = createTickets();
    const request = requestFrom({ cookie: 's1', origin });
    expect(await byTicket(tickets, { session })(request, null)).toBeNull();
    const { ticket } = tickets.issue({ ...claims, purpose: 'screen' });
    const authenticate = byTicket(tickets, { session, purpose: 'screen' });
    expect(await authenticate(request, ticket)).toMatchObject({ user: 'u1' });
  });
});
