import { ApiProblem } from '@wcc/api/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MachineLink } from './link.ts';
import type { Viewer, ViewerEvents } from './link.ts';

/** The sockets that the link has opened, and what the server says to tickets and probes. */
let opened: (ViewerEvents & { isClosed: boolean })[];
let probes: number;
let refuseTicket: ApiProblem | null;
let refuseProbe: Error | null;
let link: MachineLink<Viewer>;

beforeEach(() => {
  vi.useFakeTimers();
  [opened, probes, refuseTicket, refuseProbe] = [[], 0, null, null];
  link = new MachineLink<Viewer>({
    random: () => 0,
    ticket: async () => {
      if (refuseTicket !== null) throw refuseTicket;
      return 'ticket';
    },
    probe: async () => {
      probes += 1;
      if (refuseProbe !== null) throw refuseProbe;
    },
    open: async (_ticket, events) => {
      const socket = { ...events, isClosed: false };
      opened.push(socket);
      return { close: () => void (socket.isClosed = true) };
    },
  });
});
afterEach(() => {
  link.stop();
  vi.useRealTimers();
});

const problem = (status: number, code: string): ApiProblem =>
  new ApiProblem({ type: 'about:blank', title: code, status, code, hint: '' });
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const waitForRetry = (): Promise<unknown> => vi.advanceTimersByTimeAsync(11_000);

it('V6: closes a silent viewer, and opens a new one', async () => {
  link.start();
  await settle();
  opened[0]?.opened();
  opened[0]?.connected();
  expect(link.view).toEqual({ kind: 'connected' });
  opened[0]?.closed();
  expect([link.view.kind, opened[0]?.isClosed, link.viewer]).toEqual(['lost', true, null]);
  await waitForRetry();
  // The dead socket ends late.
  opened[0]?.closed();
  opened[1]?.opened();
  opened[1]?.connected();
  expect([link.view.kind, opened.length, probes]).toEqual(['connected', 2, 0]);
});

it('V10j: silent handshakes count as a lost network, and an answer to one breaks no row of them', async () => {
  refuseProbe = problem(426, 'upgrade_blocked');
  link.start();
  await settle();
  opened[0]?.closed();
  for (let attempt = 1; attempt < 5; attempt += 1) {
    await waitForRetry();
    opened[attempt]?.silent();
    // The browser reports the end of a silent socket late.
    opened[attempt]?.closed();
    await settle();
    expect([link.view.kind, probes]).toEqual(['lost', 0]);
  }
  await waitForRetry();
  opened[5]?.closed();
  await waitForRetry();
  opened[6]?.closed();
  await settle();
  expect(link.view).toEqual({ kind: 'refused', problem: refuseProbe });
});

it('V10j: shows why sockets do not open, after the second time', async () => {
  refuseProbe = problem(426, 'upgrade_blocked');
  link.start();
  await settle();
  opened[0]?.closed();
  await settle();
  expect([link.view.kind, probes]).toEqual(['lost', 0]);
  await waitForRetry();
  opened[1]?.closed();
  await settle();
  expect(link.view).toEqual({ kind: 'refused', problem: refuseProbe });
  await waitForRetry();
  expect(opened).toHaveLength(2);
  link.start();
  await settle();
  expect(opened).toHaveLength(3);
});

it.each([
  ['the server is stopping', problem(503, 'shutting_down')],
  ['the network is lost', new TypeError('Failed to fetch')],
  ['the reason has passed', null],
])('V10j: keeps trying while %s', async (_why, reason) => {
  refuseProbe = reason;
  link.start();
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await settle();
    opened[attempt]?.closed();
    await settle();
    expect(link.view.kind).toBe('lost');
    await waitForRetry();
  }
  expect([opened.length, probes]).toEqual([5, 3]);
});

it('does not probe when sockets open and close', async () => {
  refuseProbe = problem(426, 'upgrade_blocked');
  link.start();
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await settle();
    opened[attempt]?.opened();
    opened[attempt]?.closed();
    await waitForRetry();
  }
  expect([link.view.kind, probes]).toEqual(['connecting', 0]);
});

it.each([
  [403, 'foreign_host', 'refused'],
  [429, 'too_many_watchers', 'refused'],
  [429, 'rate_limited', 'lost'],
  [0, 'unreachable', 'lost'],
])('V10j: a ticket refused by %i %s is shown as %s', async (status, code, kind) => {
  refuseTicket = problem(status, code);
  link.start();
  await settle();
  expect(link.view.kind).toBe(kind);
});
