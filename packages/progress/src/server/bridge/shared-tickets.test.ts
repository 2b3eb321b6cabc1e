import { describe, expect, it } from 'vitest';
import { createTickets } from '../tickets.ts';
import type { Tickets } from '../tickets.ts';
import { createBus, noFaults, seeded } from './bus.testkit.ts';
import type { Bus } from './bus.testkit.ts';
import { pass, startProcess, useProcesses } from './processes.testkit.ts';

useProcesses();

const claims = { session: 's1', user: 'ann', origin: 'http://localhost' };

async function startTickets(bus: Bus, count: number): Promise<Tickets[]> {
  const started = Array.from({ length: count }, () => startProcess(bus));
  await pass(3000);
  return started.map(({ bridge }) => createTickets({ store: bridge.tickets, ttlMs: 30_000 }));
}

async function within<T>(ms: number, call: Promise<T>): Promise<T> {
  await pass(ms);
  return call;
}

describe('tickets of a bridge', () => {
  it('are accepted by every process, each once', async () => {
    const [a, b, c] = (await startTickets(createBus(), 3)) as [Tickets, Tickets, Tickets];
    for (const taker of [a, b, c]) {
      const { ticket } = await a.issue(claims);
      expect(await within(10, taker.take(ticket))).toEqual(claims);
      const again = Promise.all([a.take(ticket), b.take(ticket), c.take(ticket)]);
      expect(await within(10, again)).toEqual([null, null, null]);
    }
  });

  it('open one socket when several processes take one at once', async () => {
    const tickets = await startTickets(createBus(), 4);
    const { ticket } = (await tickets[0]?.issue(claims)) ?? { ticket: '' };
    const taken = await within(10, Promise.all([...tickets, ...tickets].map((each) => each.take(ticket))));
    expect(taken.filter((each) => each !== null)).toEqual([claims]);
  });

  it('are accepted once though messages are lost, repeated and late', async () => {
    const bus = createBus(seeded(5));
    const [a, b] = (await startTickets(bus, 3)) as [Tickets, Tickets];
    bus.faults = { lost: 0.2, repeated: 0.3, late: 0.2 };
    for (let round = 0; round < 30; round += 1) {
      const { ticket } = await a.issue({ ...claims, session: `s${round}` });
      expect(await within(3100, b.take(ticket))).toMatchObject({ user: 'ann' });
      expect(await within(3100, a.take(ticket))).toBeNull();
    }
    bus.faults = noFaults;
  });

  it('are refused within three seconds when the process that issued them is gone', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    await pass(3000);
    const { ticket } = await createTickets({ store: a.bridge.tickets }).issue(claims);
    a.transport.isCut = true;
    expect(await within(3100, createTickets({ store: b.bridge.tickets }).take(ticket))).toBeNull();
  });

  it('of a session are revoked in every process', async () => {
    const [a, b] = (await startTickets(createBus(), 2)) as [Tickets, Tickets];
    const issued = [
      await a.issue(claims),
      await b.issue(claims),
      await b.issue({ ...claims, session: 's2' }),
    ];
    expect(await within(10, a.revokeSession('s1'))).toBe(2);
    const taken = await within(10, Promise.all(issued.map(({ ticket }) => a.take(ticket))));
    expect(taken.map((each) => each?.session)).toEqual([undefined, undefined, 's2']);
  });
});
