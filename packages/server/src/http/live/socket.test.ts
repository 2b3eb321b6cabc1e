import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newSession } from '../open-things.testkit.ts';
import type { ServerUnderTest } from '../server.testkit.ts';
import { adminToken, password, startTestServer } from '../server.testkit.ts';
import type { Handshake } from '../upgrade.testkit.ts';
import { handshakeText, openSocket, shakeHands } from '../upgrade.testkit.ts';

let server: ServerUnderTest;
let userId: string;
let cookie: string;
/** Another session of the same user. */
let otherCookie: string;
let own: Required<Pick<Handshake, 'port' | 'origin' | 'cookie'>>;

beforeAll(async () => {
  server = await startTestServer();
  userId = await server.addUser('sato');
});
afterAll(() => server.close());
beforeEach(async () => {
  const secrets = await Promise.all([1, 2].map(() => newCookie()));
  [cookie, otherCookie] = secrets as [string, string];
  own = { port: server.port, origin: server.origin, cookie };
});

/** Without sign-in, which is limited per name and minute. */
async function newCookie(): Promise<string> {
  return (await newSession(server, userId)).cookie;
}

describe('a WebSocket handshake from another origin (threats 2 and 3)', () => {
  it.each([
    'https://evil.example',
    'null',
    'http://127.0.0.1:PORT.evil.example',
    'HTTP://127.0.0.1:PORT',
    'http://127.0.0.1:1',
    'http://localhost:PORT',
    'http://[::1]:PORT',
    'https://127.0.0.1:PORT',
    'http://evil.example@127.0.0.1:PORT',
  ])('%s is refused with 403 and does not use the ticket', async (text) => {
    const ticket = await server.ticket(cookie);
    const origin = text.replace('PORT', String(server.port));
    expect((await shakeHands({ ...own, ticket, origin })).status).toBe(403);
    expect((await shakeHands({ ...own, ticket })).status).toBe(101);
  });

  it('without an Origin is refused when it has a cookie', async () => {
    const ticket = await server.ticket(cookie);
    expect((await shakeHands({ port: server.port, cookie, ticket })).status).toBe(403);
    expect((await shakeHands({ port: server.port, cookie, bearer: adminToken })).status).toBe(403);
    expect((await shakeHands({ port: server.port })).status).toBe(403);
  });
});

it('a WebSocket handshake for another host is refused with 403 (threat 4)', async () => {
  const ticket = await server.ticket(cookie);
  for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1:1']) {
    expect((await shakeHands({ ...own, ticket, host })).status).toBe(403);
  }
});

describe('a ticket (threat 5)', () => {
  it('opens only one of two concurrent sockets', async () => {
    for (let round = 0; round < 10; round += 1) {
      const ticket = await server.ticket(cookie);
      const answers = await Promise.all([1, 2, 3].map(() => shakeHands({ ...own, ticket })));
      expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['101', '401', '401']);
    }
  });

  it('is useless without its session: no cookie, a wrong cookie, another session of the user', async () => {
    for (const foreign of [undefined, `wcc_sid_${server.port}=wrong`, otherCookie]) {
      const ticket = await server.ticket(cookie);
      const { cookie: _own, ...rest } = own;
      const handshake = foreign === undefined ? rest : { ...rest, cookie: foreign };
      expect((await shakeHands({ ...handshake, ticket })).status).toBe(401);
      // The attempt uses the ticket up.
      expect((await shakeHands({ ...own, ticket })).status).toBe(401);
    }
  });

  it('is required: a cookie alone opens no socket', async () => {
    expect((await shakeHands(own)).status).toBe(401);
    expect((await shakeHands({ ...own, ticket: 'made-up' })).status).toBe(401);
  });

  it('is invalid after its session ends or its user changes', async () => {
    const first = await server.ticket(cookie);
    await server.ask('DELETE', '/api/session', { cookie });
    expect((await shakeHands({ ...own, ticket: first })).status).toBe(401);
    const second = await server.ticket(otherCookie);
    await server.ask('PATCH', `/api/users/${userId}`, { bearer: adminToken, body: { password } });
    expect((await shakeHands({ ...own, cookie: otherCookie, ticket: second })).status).toBe(401);
  });

  it('is issued at most ten times', async () => {
    await Promise.all(Array.from({ length: 10 }, () => server.ticket(cookie)));
    const answer = await server.ask('POST', '/api/ws-tickets', { cookie, body: { purpose: 'watch' } });
    expect([answer.status, answer.json['code']]).toEqual([429, 'too_many_tickets']);
  });

  it('is not issued for the screen of a missing machine', async () => {
    const body = { purpose: 'screen', target: 'vm:100' };
    expect((await server.ask('POST', '/api/ws-tickets', { cookie, body })).json['code']).toBe('not_found');
  });
});

it('the server never echoes a ticket as the subprotocol (threat 7)', async () => {
  const tickets = await Promise.all([1, 2].map(() => server.ticket(cookie)));
  for (const ticket of tickets) {
    const name = `wcc.ticket.${ticket}`;
    const protocols = ticket === tickets[0] ? [name, 'wcc.v1'] : [name];
    const { status, head } = await shakeHands({ ...own, protocols });
    expect(head).not.toContain(ticket);
    expect(head).not.toContain('wcc.ticket');
    if (status === 101) expect(head.toLowerCase()).toContain('sec-websocket-protocol: wcc.v1');
    else expect(status).toBe(400);
  }
});

describe('an open socket (threat 8)', () => {
  // The requirement is 1 s; milliseconds are usual. A busy test machine may delay it.
  const withinMs = 5_000;

  it('closes at once with its session; another session of the user stays open', async () => {
    const watching = await openSocket({ ...own, ticket: await server.ticket(cookie) });
    const other = await openSocket({ ...own, cookie: otherCookie, ticket: await server.ticket(otherCookie) });
    const startedMs = performance.now();
    expect((await server.ask('DELETE', '/api/session', { cookie })).status).toBe(204);
    expect(await watching.closed).toBe(4401);
    expect(performance.now() - startedMs).toBeLessThan(withinMs);
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    other.socket.close();
    await other.closed;
  });

  it.each([{ password }, { role: 'viewer' }, { role: 'operator' }, { disabled: true }])(
    'of every session ends when its user changes: %j',
    async (body) => {
      const sockets = await Promise.all(
        [cookie, otherCookie].map(async (each) =>
          openSocket({ ...own, cookie: each, ticket: await server.ticket(each) }),
        ),
      );
      const startedMs = performance.now();
      await server.ask('PATCH', `/api/users/${userId}`, { bearer: adminToken, body });
      expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([4401, 4401]);
      expect(performance.now() - startedMs).toBeLessThan(withinMs);
      expect((await server.ask('GET', '/api/session', { cookie })).status).toBe(401);
      await server.ask('PATCH', `/api/users/${userId}`, { bearer: adminToken, body: { disabled: false } });
    },
  );
});

describe('a program with a bearer token', () => {
  it('watches without a cookie until the token is revoked', async () => {
    const made = await server.ask('POST', '/api/tokens', {
      cookie,
      body: { name: 'watcher', scope: 'read' },
    });
    const bearer = String(made.json['secret']);
    const direct = await openSocket({ port: server.port, bearer });
    const byTicket = await server.ask('POST', '/api/ws-tickets', {
      bearer,
      body: { purpose: 'watch' },
      headers: { origin: undefined },
    });
    const second = await openSocket({ port: server.port, ticket: String(byTicket.json['ticket']) });
    await server.ask('DELETE', `/api/tokens/${String(made.json['id'])}`, { cookie });
    expect(await Promise.all([direct.closed, second.closed])).toEqual([4401, 4401]);
    expect((await shakeHands({ port: server.port, bearer })).status).toBe(401);
  });

  it('watches with the admin token, which a page cannot use', async () => {
    const watching = await openSocket({ port: server.port, bearer: adminToken });
    watching.socket.close();
    await watching.closed;
    expect((await shakeHands({ port: server.port, bearer: adminToken, origin: server.origin })).status).toBe(
      401,
    );
  });
});

it(
  'threat 16: 2,000 connections reset during the authentication do no harm',
  { timeout: 60_000 },
  async () => {
    // One lookup is in memory and one in the database, so the reset comes before, during and after an await.
    const texts = [
      handshakeText({ ...own, ticket: 'x'.repeat(43) }),
      handshakeText({ port: server.port, bearer: `wcc_${'x'.repeat(43)}` }),
    ];
    for (let round = 0; round < 40; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const socket = connect(server.port, '127.0.0.1');
          socket.on('error', () => {});
          await once(socket, 'connect');
          socket.write(texts[index % 2]!);
          setTimeout(() => socket.resetAndDestroy(), index % 5);
          await once(socket, 'close');
        }),
      );
    }
    const watching = await openSocket({ ...own, ticket: await server.ticket(cookie) });
    watching.socket.close();
    await watching.closed;
    expect(server.log()).not.toContain('unexpected failure');
  },
);
