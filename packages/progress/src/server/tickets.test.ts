import { describe, expect, it } from 'vitest';
import { createTickets } from './tickets.ts';
import type { TicketClaims, TicketStore } from './tickets/store.ts';

const claims: TicketClaims = {
  session: 's',
  user: 'u',
  purpose: 'watch',
  origin: 'http://a',
  sessionVersion: 1,
};

describe('tickets', () => {
  it('issues random tickets of 256 bits that are valid once', async () => {
    const tickets = createTickets();
    const { ticket, expiresInS } = await tickets.issue(claims);
    expect(expiresInS).toBe(30);
    expect(Buffer.from(ticket, 'base64url')).toHaveLength(32);
    expect((await tickets.issue(claims)).ticket).not.toBe(ticket);
    expect(await tickets.take(ticket)).toEqual(claims);
    expect(await tickets.take(ticket)).toBeNull();
    expect(await tickets.take('')).toBeNull();
  });

  it('expires tickets, which then no longer count towards the limit', async () => {
    const clock = { ms: 0 };
    const tickets = createTickets({ now: () => clock.ms, ttlMs: 1000, perSession: 2 });
    const first = (await tickets.issue(claims)).ticket;
    clock.ms = 999;
    const second = (await tickets.issue(claims)).ticket;
    const refused = tickets.issue(claims);
    await expect(refused).rejects.toMatchObject({ name: 'ProgressError', code: 'too_many_tickets' });
    await expect(refused).rejects.toHaveProperty('hint', expect.stringContaining('wait'));
    await tickets.issue({ ...claims, session: 'other' });
    clock.ms = 1000;
    expect(await tickets.take(first)).toBeNull();
    await tickets.issue(claims);
    expect(await tickets.take(second)).toEqual(claims);
  });

  it('limits concurrent requests of one session too', async () => {
    const tickets = createTickets({ perSession: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => tickets.issue(claims)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('revokes the tickets of a session', async () => {
    const tickets = createTickets();
    const own = [await tickets.issue(claims), await tickets.issue(claims)];
    const other = await tickets.issue({ ...claims, session: 'other' });
    expect(await tickets.revokeSession('s')).toBe(2);
    expect(await Promise.all(own.map(({ ticket }) => tickets.take(ticket)))).toEqual([null, null]);
    expect(await tickets.take(other.ticket)).toMatchObject({ session: 'other' });
  });

  it('copies the claims, so later changes by the caller have no effect', async () => {
    const tickets = createTickets();
    const mine = { ...claims };
    const issuing = tickets.issue(mine);
    mine.user = 'admin';
    const { ticket } = await issuing;
    expect((await tickets.take(ticket))?.user).toBe('u');
  });
});

/** A store outside the processes: answers later, keeps JSON texts, and takes in one step, like Redis GETDEL. */
function createRemoteStore(): TicketStore & { texts: Map<string, string>; ttls: number[] } {
  const texts = new Map<string, string>();
  const ttls: number[] = [];
  const answer = <T>(value: T): Promise<T> =>
    new Promise((resolve) => setTimeout(() => resolve(value), Math.random() * 5));
  return {
    texts,
    ttls,
    put: async (hash, issued, { ttlMs }) => {
      ttls.push(ttlMs);
      texts.set(hash, JSON.stringify(issued));
      await answer(null);
    },
    take: async (hash) => {
      const text = await answer(null).then(() => {
        const found = texts.get(hash);
        texts.delete(hash);
        return found;
      });
      return answer(text === undefined ? null : (JSON.parse(text) as TicketClaims));
    },
  };
}

describe('tickets in a store of several processes', () => {
  it('accept a ticket of another process once: of two concurrent takes one wins', async () => {
    const store = createRemoteStore();
    const [one, other] = [createTickets({ store }), createTickets({ store })];
    for (let round = 0; round < 50; round += 1) {
      const { ticket } = await one.issue({ ...claims, user: `u${round}` });
      const takes = await Promise.all([one.take(ticket), other.take(ticket)]);
      expect(takes.filter((taken) => taken !== null)).toEqual([{ ...claims, user: `u${round}` }]);
    }
    expect(store.texts.size).toBe(0);
  });

  it('give the store the lifetime, and only the hash of a ticket', async () => {
    const store = createRemoteStore();
    const { ticket, expiresInS } = await createTickets({ store, ttlMs: 5000 }).issue(claims);
    expect(expiresInS).toBe(5);
    expect(store.ttls).toEqual([5000]);
    expect([...store.texts.keys(), ...store.texts.values()].join()).not.toContain(ticket);
  });

  it('report what the store throws, and refuse when it refuses', async () => {
    const down = new Error('store is down');
    const broken = createTickets({
      store: { put: () => Promise.reject(down), take: () => Promise.reject(down) },
    });
    await expect(broken.issue(claims)).rejects.toBe(down);
    await expect(broken.take('t')).rejects.toBe(down);
    expect(await broken.revokeSession('s')).toBe(0);
    const full = createTickets({ store: { put: async () => false, take: async () => null } });
    await expect(full.issue(claims)).rejects.toMatchObject({ code: 'too_many_tickets' });
  });
});
