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
  it('are random, 256 bits long, and good once', () => {
    const tickets = createTickets();
    const { ticket, expiresInS } = tickets.issue(claims);
    expect(expiresInS).toBe(30);
    expect(Buffer.from(ticket, 'base64url')).toHaveLength(32);
    expect(tickets.issue(claims).ticket).not.toBe(ticket);
    expect(tickets.take(ticket)).toEqual(claims);
    expect(tickets.take(ticket)).toBeNull();
    expect(tickets.take('')).toBeNull();
  });

  it('expire, and then count no more', () => {
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

  it('die with their session', () => {
    const tickets = createTickets();
    const held = [tickets.issue(claims), tickets.issue(claims)];
    const other = tickets.issue({ ...claims, session: 'other' });
    expect(tickets.revokeSession('s')).toBe(2);
    expect(held.map(({ ticket }) => tickets.take(ticket))).toEqual([null, null]);
    expect(tickets.take(other.ticket)).toMatchObject({ session: 'other' });
  });

  it('hold what was claimed then, not what the caller makes of it later', () => {
    const tickets = createTickets();
    const mine = { ...claims };
    const { ticket } = tickets.issue(mine);
    mine.user = 'admin';
    expect(tickets.take(ticket)?.user).toBe('u');
  });
});
