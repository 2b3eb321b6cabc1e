import { describe, expect, it } from 'vitest';
import { createTickets, TicketError } from './tickets.ts';
import type { TicketClaims } from './tickets.ts';

const claims: TicketClaims = {
  session: 's',
  user: 'u',
  purpose: 'watch',
  origin: 'http://a',
  sessionVersion: 1,
};

describe('tickets', () => {
  it('issues random tickets of 256 bits that are valid once', () => {
    const tickets = createTickets();
    const { ticket, expiresInS } = tickets.issue(claims);
    expect(expiresInS).toBe(30);
    expect(Buffer.from(ticket, 'base64url')).toHaveLength(32);
    expect(tickets.issue(claims).ticket).not.toBe(ticket);
    expect(tickets.take(ticket)).toEqual(claims);
    expect(tickets.take(ticket)).toBeNull();
    expect(tickets.take('')).toBeNull();
  });

  it('expires tickets, which then no longer count towards the limit', () => {
    const clock = { ms: 0 };
    const tickets = createTickets({ now: () => clock.ms, ttlMs: 1000, perSession: 2 });
    const first = tickets.issue(claims).ticket;
    clock.ms = 999;
    const second = tickets.issue(claims).ticket;
    expect(() => tickets.issue(claims)).toThrow(TicketError);
    expect(() => tickets.issue(claims)).toThrow(expect.objectContaining({ code: 'too_many_tickets' }));
    tickets.issue({ ...claims, session: 'other' });
    clock.ms = 1000;
    expect(tickets.take(first)).toBeNull();
    tickets.issue(claims);
    expect(tickets.take(second)).toEqual(claims);
  });

  it('revokes the tickets of a session', () => {
    const tickets = createTickets();
    const own = [tickets.issue(claims), tickets.issue(claims)];
    const other = tickets.issue({ ...claims, session: 'other' });
    expect(tickets.revokeSession('s')).toBe(2);
    expect(own.map(({ ticket }) => tickets.take(ticket))).toEqual([null, null]);
    expect(tickets.take(other.ticket)).toMatchObject({ session: 'other' });
  });

  it('copies the claims, so later changes by the caller have no effect', () => {
    const tickets = createTickets();
    const mine = { ...claims };
    const { ticket } = tickets.issue(mine);
    mine.user = 'admin';
    expect(tickets.take(ticket)?.user).toBe('u');
  });
});
