import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminToken, password, sessionCookie, startTestServer } from './server.testkit.ts';
import type { Answer, ServerUnderTest } from './server.testkit.ts';

let server: ServerUnderTest;
beforeEach(async () => {
  // The header X-Forwarded-For names the client, so that one test speaks for many addresses.
  server = await startTestServer({ trustedProxies: ['127.0.0.1'] });
  await server.addUser('sato');
});
afterEach(() => server.close());

const post = (address: string, body: object): Promise<Answer> =>
  server.ask('POST', '/api/session', { body, headers: { 'x-forwarded-for': address } });
const signIn = (address: string, secret = password, name = 'sato'): Promise<Answer> =>
  post(address, { name, password: secret });

async function statuses(
  count: number,
  ask: (round: number) => Promise<Answer>,
): Promise<Record<number, number>> {
  const found: Record<number, number> = {};
  for (let round = 0; round < count; round += 1) {
    const { status } = await ask(round);
    found[status] = (found[status] ?? 0) + 1;
  }
  return found;
}

async function lockOuts(): Promise<string[]> {
  const { json } = await server.ask('GET', '/api/audit?limit=200', { bearer: adminToken });
  const rows = json['items'] as { who: string; address: string; what: string; result: string }[];
  return rows
    .filter(({ result }) => result === 'rate_limited')
    .map(({ who, address, what }) => `${who} ${address} ${what}`)
    .toReversed();
}

describe('SM8: a limit of sign-ins', () => {
  it('does not count a body without a password, or a request without credentials', async () => {
    expect(await statuses(20, () => post('192.0.2.9', { name: 'sato' }))).toEqual({ 400: 20 });
    const change = { name: 'sato', current: password, next: `${password}!` };
    const asked = await statuses(20, () => server.ask('PUT', '/api/session/password', { body: change }));
    expect(asked).toEqual({ 401: 20 });
    expect((await signIn('192.0.2.9')).status).toBe(200);
    expect(await lockOuts()).toEqual([]);
  });

  it('locks a name for the network of the guesses only, with one audit row', async () => {
    expect(await statuses(20, () => signIn('192.0.2.9', 'not the password'))).toEqual({ 401: 15, 429: 5 });
    expect((await signIn('192.0.2.9')).status).toBe(429);
    expect((await signIn('192.0.2.10')).status).toBe(200);
    expect(await lockOuts()).toEqual(['sato 192.0.2.9 session.create']);
  });

  it('lets the user in from a network where they signed in before, while many networks guess', async () => {
    expect((await signIn('192.0.2.10')).status).toBe(200);
    // The first sign-in counts too.
    const guessed = await statuses(75, (round) => signIn(`198.51.100.${round}`, 'not the password'));
    expect(guessed).toEqual({ 401: 59, 429: 16 });
    expect((await signIn('203.0.113.5')).status).toBe(429);
    expect((await signIn('192.0.2.10')).status).toBe(200);
    expect(await lockOuts()).toEqual(['sato 198.51.100.59 session.create']);
  });

  it('does not keep a signed-in user from a new password', async () => {
    const cookie = sessionCookie(await signIn('192.0.2.10'));
    await statuses(75, (round) => signIn(`198.51.100.${round}`, 'not the password'));
    const change = (current: string): Promise<Answer> =>
      server.ask('PUT', '/api/session/password', { cookie, body: { current, next: `${password}!` } });
    expect((await change(password)).status).toBe(204);
    expect(await statuses(16, () => change('not the password'))).toEqual({ 422: 14, 429: 2 });
    expect((await lockOuts()).at(-1)).toMatch(/^sato .* password\.change$/);
  });
});

describe('SM9: a limit by address', () => {
  it('counts a /64 of IPv6, and an address with changing ports, as one client', async () => {
    const empty = { name: 'stranger' };
    for (const addressOf of [
      (round: number) => `2001:db8:1:2::${round.toString(16)}`,
      (round: number) => `198.51.100.9:${40_000 + round}`,
      (round: number) => `[2001:db8:1:3::${round.toString(16)}]:443`,
    ])
      expect(await statuses(70, (round) => post(addressOf(round), empty))).toEqual({ 400: 60, 429: 10 });
    expect((await post('2001:db8:1:4::1', empty)).status).toBe(400);
    expect(await lockOuts()).toEqual([
      '(unknown) 2001:db8:1:2::3c session.create',
      '(unknown) 198.51.100.9 session.create',
      '(unknown) 2001:db8:1:3::3c session.create',
    ]);
  });

  it('writes only addresses into the audit record', async () => {
    for (const text of ['<b>x</b>', 'a\tb', 'unknown']) expect((await signIn(text)).status).toBe(200);
    const { json } = await server.ask('GET', '/api/audit?limit=200', { bearer: adminToken });
    const rows = json['items'] as { address: string }[];
    expect(new Set(rows.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
  });
});
