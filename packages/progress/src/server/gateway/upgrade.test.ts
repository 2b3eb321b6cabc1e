import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import { testOrigin, principalOf, startGateway } from '../testkit/gateway.testkit.ts';
import type { GatewayChanges, GatewayUnderTest } from '../testkit/gateway.testkit.ts';
import { handshake, openTcp, rawHandshake } from '../testkit/raw-socket.testkit.ts';
import { connect, dial, listen, statusOf } from '../testkit/socket.testkit.ts';

/** Threat 16 of docs/security.md. */
const resetCount = 10_000;

const running: GatewayUnderTest[] = [];

async function start(changes: GatewayChanges = {}): Promise<GatewayUnderTest> {
  const under = await startGateway(changes);
  running.push(under);
  return under;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((under) => under.close()));
});

const never = (): Promise<null> => new Promise(() => undefined);

describe('websocket upgrade', () => {
  it.each<[string, Record<string, string | null>, number]>([
    ['another path', { path: '/api/other' }, 404],
    ['a path that starts with ours', { path: '/api/wsx' }, 404],
    ['a foreign Host (DNS rebinding)', { Host: 'evil.test' }, 403],
    ['Host without our port', { Host: '127.0.0.1' }, 403],
    ['no Origin', { Origin: null }, 403],
    ['Origin null', { Origin: 'null' }, 403],
    ['another origin', { Origin: 'https://evil.test' }, 403],
    ['our origin as a prefix', { Origin: `${testOrigin}.evil.test` }, 403],
    ['our origin on another port', { Origin: `${testOrigin}:8080` }, 403],
    ['our origin in capitals', { Origin: testOrigin.toUpperCase() }, 403],
    ['two origins', { Origin: `${testOrigin}, https://evil.test` }, 403],
    ['a foreign subprotocol', { 'Sec-WebSocket-Protocol': 'chat' }, 400],
    ['two tickets', { 'Sec-WebSocket-Protocol': `wcc.v1, ${ticketPrefix}a, ${ticketPrefix}b` }, 400],
    ['a malformed ticket', { 'Sec-WebSocket-Protocol': `wcc.v1, ${ticketPrefix}a=b` }, 400],
    ['no ticket', { 'Sec-WebSocket-Protocol': subprotocol }, 401],
    ['an unknown ticket', { 'Sec-WebSocket-Protocol': `wcc.v1, ${ticketPrefix}unknown` }, 401],
    ['another upgrade', { Upgrade: 'h2c' }, 426],
    ['an old version', { 'Sec-WebSocket-Version': '8' }, 426],
    ['a broken key', { 'Sec-WebSocket-Key': 'x' }, 400],
  ])('answers %s with its status and closes', async (_what, changes, status) => {
    const under = await start();
    const answer = await rawHandshake(under, handshake(under, changes));
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(/\r\nConnection: close\r\n/i);
    expect(under.gateway.connections).toBe(0);
    expect(under.errors).toEqual([]);
  });

  it('accepts a program without Origin if it has a bearer token and no cookie', async () => {
    const under = await start({
      authenticate: ({ headers }) =>
        Promise.resolve(
          headers.authorization === 'Bearer token'
            ? principalOf({ user: 'u1', session: 't', purpose: 'watch', origin: '', sessionVersion: 1 })
            : null,
        ),
    });
    const ways: [Record<string, string>, number][] = [
      [{ authorization: 'Bearer token' }, 101],
      [{ authorization: 'Bearer token', cookie: 'wcc_sid=1' }, 403],
      [{ authorization: 'Basic x' }, 403],
      [{ authorization: 'Bearer other' }, 401],
    ];
    for (const [headers, status] of ways) {
      expect(await statusOf(dial(under, { origin: null, ticket: null, headers }))).toBe(status);
    }
  });

  it('never echoes the ticket, even if offered first, and removes it from the headers', async () => {
    const seen: string[] = [];
    const under = await start({
      authenticate: async (request, ticket) => {
        seen.push(JSON.stringify([request.headers, request.rawHeaders]));
        const claims = ticket === null ? null : await under.tickets.take(ticket);
        return claims === null ? null : principalOf(claims);
      },
    });
    const ticket = under.ticket();
    const answer = await rawHandshake(
      under,
      handshake(under, { 'Sec-WebSocket-Protocol': `${ticketPrefix}${ticket}, ${subprotocol}` }),
    );
    expect(answer.text).toContain('Sec-WebSocket-Protocol: wcc.v1\r\n');
    expect(answer.text + seen.join('')).not.toContain(ticket);
    expect(seen).toHaveLength(1);
  });

  it('accepts exactly one of many concurrent upgrades with one ticket', async () => {
    const under = await start();
    for (let round = 0; round < 20; round += 1) {
      const ticket = under.ticket();
      const statuses = await Promise.all([1, 2, 3].map(() => statusOf(dial(under, { ticket }))));
      expect(statuses.toSorted((a, b) => a - b)).toEqual([101, 401, 401]);
    }
  });

  it('refuses an expired ticket', async () => {
    const under = await start();
    const { createTickets } = await import('../tickets.ts');
    const clock = { ms: 0 };
    const tickets = createTickets({ now: () => clock.ms });
    const { ticket } = await tickets.issue({
      session: 's',
      user: 'u',
      purpose: 'watch',
      origin: testOrigin,
      sessionVersion: 1,
    });
    clock.ms = 30_000;
    expect(await tickets.take(ticket)).toBeNull();
    expect(await statusOf(dial(under, { ticket }))).toBe(401);
  });

  it('answers 503 to an authentication that takes too long', async () => {
    const under = await start({ authenticate: never, limits: { upgradeMs: 100 } });
    expect(await statusOf(dial(under))).toBe(503);
    expect(under.errors).toMatchObject([
      { stage: 'authenticate', error: { code: 'authentication_timeout' } },
    ]);
  });

  it('answers 503 when authenticate throws, and reports the error', async () => {
    const under = await start({ authenticate: () => Promise.reject(new Error('store away')) });
    expect(await statusOf(dial(under))).toBe(503);
    expect(under.errors).toMatchObject([{ stage: 'authenticate' }]);
  });

  it('limits unauthenticated upgrades per address', async () => {
    const under = await start({
      authenticate: never,
      limits: { pendingUpgradesPerAddress: 5, upgradeMs: 60_000 },
    });
    const sockets: Socket[] = [];
    for (let count = 0; count < 5; count += 1) {
      const socket = await openTcp(under);
      socket.write(handshake(under));
      sockets.push(socket);
    }
    await sleep(200);
    expect((await rawHandshake(under, handshake(under))).status).toBe(429);
    // A client that disconnects releases its upgrade before the server answers.
    sockets[0]?.destroy();
    await sleep(200);
    const next = await openTcp(under);
    next.write(handshake(under));
    let answered = false;
    next.on('data', () => (answered = true));
    await sleep(50);
    expect(answered).toBe(false);
    for (const socket of [...sockets, next]) socket.destroy();
  });

  it(`survives ${resetCount} connection resets during the authentication`, { timeout: 240_000 }, async () => {
    const under = await start({
      authenticate: async () => {
        await sleep(20);
        return principalOf({ user: 'u1', session: 's', purpose: 'watch', origin: '', sessionVersion: 1 });
      },
      limits: { pendingUpgradesPerAddress: 1000 },
    });
    for (let round = 0; round < resetCount / 200; round += 1) {
      const sockets = await Promise.all(Array.from({ length: 200 }, () => openTcp(under)));
      for (const socket of sockets) socket.write(handshake(under));
      // The resets come before, during and after the authentication, which takes 20 ms.
      await sleep(round % 30);
      for (const socket of sockets) socket.resetAndDestroy();
    }
    const client = await connect(under);
    expect(client.socket.protocol).toBe(subprotocol);
    expect(under.errors).toEqual([]);
    await vi.waitFor(() => expect(under.gateway.connections).toBe(1), { timeout: 5000 });
  });

  it('disconnects a client that sends data before the answer', async () => {
    const under = await start({ authenticate: never, limits: { upgradeMs: 60_000 } });
    expect((await rawHandshake(under, `${handshake(under)}early`)).status).toBe(400);
    const socket = await openTcp(under);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(handshake(under));
    await sleep(30);
    socket.write('early');
    await closed;
  });

  it('answers upgrades that are being authenticated at shutdown', async () => {
    const under = await start({ authenticate: never, limits: { upgradeMs: 60_000 } });
    const answer = statusOf(dial(under));
    await sleep(50);
    await under.gateway.shutdown();
    expect(await answer).toBe(503);
    expect(under.errors).toEqual([]);
  });

  it('refuses new sockets during the shutdown', async () => {
    const under = await start();
    await under.gateway.shutdown();
    expect(await statusOf(dial(under))).toBe(503);
  });

  it('closes the seventeenth socket of a user with 4409, but no socket of others', async () => {
    const under = await start();
    const clients = await Promise.all(Array.from({ length: 16 }, () => connect(under)));
    expect(await listen(dial(under)).closed).toBe(4409);
    const other = await connect(under, { user: 'u2' });
    clients[0]?.socket.close();
    await vi.waitFor(() => expect(under.gateway.connections).toBe(16), { timeout: 5000 });
    const again = await connect(under);
    expect([other, again].map(({ socket }) => socket.readyState)).toEqual([1, 1]);
  });
});

describe('websocket upgrade beside other handlers', () => {
  let server: Server | null = null;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  it('ignores plain requests', async () => {
    const under = await start();
    const response = await fetch(`http://127.0.0.1:${under.port}/api/ws`);
    expect(await response.text()).toBe('plain');
  });

  it('ignores other paths with fallthrough', async () => {
    server = createServer();
    const own: string[] = [];
    const under = await start({ server, fallthrough: true });
    server.on('upgrade', (request, socket) => {
      if (request.url !== '/screen') return;
      own.push(request.url);
      socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const answer = await rawHandshake({ ...under, port }, handshake(under, { path: '/screen' }));
    expect([answer.status, own]).toEqual([418, ['/screen']]);
  });
});
