import { accepted, imageList, vmList } from '@wcc/api';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEcho, writeDisk } from '../../machines/hypervisor/guest.testkit.ts';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { greet, openScreen, pressKey, waitForFrame } from '../screens.testkit.ts';
import type { Screen } from '../screens.testkit.ts';
import { adminToken, sessionHeaders, startTestServer } from '../server.testkit.ts';
import type { Answer, ServerUnderTest } from '../server.testkit.ts';
import { openSocket, shakeHands } from '../upgrade.testkit.ts';

/** Who may read what about a machine, at every address, before and after a right is lost. */
const MiB = 1024 ** 2;
const name = 'secret-of-ann';

let server: ServerUnderTest;
let poolId: string;
const cookies: Record<string, string> = {};
const users: Record<string, string> = {};
/** Ann's running machine and its disk. */
let id: number;
let disk: number;
let uuid: string;
let making: string;
let bobs: number;

beforeAll(async () => {
  server = await startTestServer({ freeSpaceFloor: { bytes: 0, fraction: 0 } });
  await writeDisk(join(server.dataDir, 'images', 'echo.raw'), [createEcho()]);
  const pools = await server.ask('GET', '/api/pools', { bearer: adminToken });
  poolId = (pools.json['items'] as { id: string }[])[0]?.id ?? '';
  await server.ask('POST', `/api/pools/${poolId}/rescan`, { bearer: adminToken });
  for (const [user, role] of [
    ['ann', 'operator'],
    ['bob', 'operator'],
    ['eve', 'viewer'],
  ] as const) {
    users[user] = await server.addUser(user, role);
    cookies[user] = await server.signIn(user);
  }
  ({ id, operation: making } = await make('ann', name));
  ({ id: bobs } = await make('bob', 'of-bob'));
  const [vm] = await listOf('ann');
  disk = vm?.disks[0]?.image ?? 0;
  uuid = vm?.uuid ?? '';
});
afterAll(async () => {
  const { items } = vmList.parse((await server.ask('GET', '/api/vms', { bearer: adminToken })).json);
  for (const one of items) await server.ask('POST', `/api/vms/${one.id}/power-off`, { bearer: adminToken });
  await server.close();
});

function as(user: string, method: string, { path, body }: { path: string; body?: unknown }): Promise<Answer> {
  const cookie = cookies[user] ?? '';
  return server.ask(method, path, body === undefined ? { cookie } : { cookie, body });
}

async function listOf(user: string): Promise<ReturnType<typeof vmList.parse>['items']> {
  return vmList.parse((await as(user, 'GET', { path: '/api/vms' })).json).items;
}

async function make(
  user: string,
  called: string,
  { start }: { start: boolean } = { start: true },
): Promise<{ id: number; operation: string }> {
  const body = { name: called, image: 100, cpus: 1, memoryBytes: 32 * MiB, start };
  const answer = await as(user, 'POST', { path: '/api/vms/quick-create', body });
  const { operation } = accepted.parse(answer.json);
  await waitUntil(`${called} to be made`, async () => {
    const { json } = await as(user, 'GET', { path: `/api/operations/${operation.id}` });
    if (json['state'] === 'failed') throw new Error(JSON.stringify(json['error']));
    return json['state'] === 'succeeded';
  });
  return { id: Number(operation.subject.id), operation: operation.id };
}

async function tokenOf(user: string, scope: 'read' | 'write'): Promise<{ id: string; secret: string }> {
  const answer = await as(user, 'POST', { path: '/api/tokens', body: { name: scope, scope } });
  return { id: String(answer.json['id']), secret: String(answer.json['secret']) };
}

async function ticketOf(who: { cookie: string } | { bearer: string }, target: number): Promise<string> {
  const headers = 'bearer' in who ? { origin: undefined } : {};
  const body = { purpose: 'screen', target: String(target) };
  const answer = await server.ask('POST', '/api/ws-tickets', { ...who, headers, body });
  if (answer.status !== 200) throw new Error(answer.text);
  return String(answer.json['ticket']);
}

async function screenOf(user: string): Promise<Screen> {
  const cookie = cookies[user] ?? '';
  const { port, origin } = server;
  const screen = await openScreen({ port, id, ticket: await ticketOf({ cookie }, id), cookie, origin });
  await greet(screen);
  return screen;
}

async function screenByToken(bearer: string): Promise<Screen> {
  const screen = await openScreen({ port: server.port, id, ticket: await ticketOf({ bearer }, id), bearer });
  await greet(screen);
  return screen;
}

interface Following {
  text: () => string;
  /** Resolves when the server ends the answer. */
  ended: Promise<void>;
  leave: () => void;
}

/** Starts to follow the serial log. */
async function follow(headers: Record<string, string>): Promise<Following> {
  const leaving = new AbortController();
  const { signal } = leaving;
  const response = await fetch(`${server.origin}/api/vms/${id}/serial?follow=true`, { headers, signal });
  expect(response.status).toBe(200);
  let text = '';
  const read = async (): Promise<void> => {
    for await (const part of response.body ?? []) text += Buffer.from(part).toString('latin1');
  };
  // `fetch` rejects when the server ends a chunked answer early.
  const ended = read().catch(() => {});
  await waitUntil('the log so far', () => text.includes('>'));
  return { text: () => text, ended, leave: () => leaving.abort() };
}

const serial = async (): Promise<string> => (await as('ann', 'GET', { path: `/api/vms/${id}/serial` })).text;

/** Every address of a machine, with a valid body. */
const addresses: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', ''],
  ['PATCH', '', { cpus: 1 }],
  ['DELETE', '', { disks: true }],
  ['POST', '/copy', { name: 'copied' }],
  ['POST', '/start'],
  ['POST', '/shutdown'],
  ['POST', '/power-off'],
  ['POST', '/reset'],
  ['POST', '/discard-saved-state'],
  ['POST', '/adopt'],
  ['POST', '/disks', { sizeBytes: MiB }],
  ['PATCH', '/disks/0', { sizeBytes: 64 * MiB }],
  ['PUT', '/cdrom', { image: null }],
  ['GET', '/serial'],
  ['GET', '/serial?follow=true'],
  ['GET', '/screenshot'],
];
/** Every address of its disk, which is an image. */
const diskAddresses: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', ''],
  ['GET', '/copy-plan'],
  ['GET', '/download'],
  ['POST', '/copy', { name: 'copied.qcow2' }],
  ['POST', '/convert', { name: 'converted.raw', format: 'raw' }],
  ['POST', '/verify', {}],
  ['PATCH', '', { template: true }],
  ['DELETE', ''],
];

describe('user without rights on a machine', () => {
  it.each(['bob', 'eve'])('%s gets the same answers as for a missing machine', async (user) => {
    for (const [method, path, body] of addresses) {
      const [of, unknown] = await Promise.all(
        [id, 4711].map((one) => as(user, method, { path: `/api/vms/${one}${path}`, body })),
      );
      expect([path, of?.status, of?.text]).toEqual([path, 404, unknown?.text]);
    }
    const ticket = { path: '/api/ws-tickets', body: { purpose: 'screen', target: String(id) } };
    expect((await as(user, 'POST', ticket)).status).toBe(404);
  });

  it.each(['bob', 'eve'])('%s sees neither name nor content of its disk', async (user) => {
    for (const [method, path, body] of diskAddresses) {
      const [of, unknown] = await Promise.all(
        [disk, 4711].map((one) => as(user, method, { path: `/api/images/${one}${path}`, body })),
      );
      // For a viewer, some actions are refused for every image before a lookup.
      expect(user === 'eve' ? [404, 403] : [404]).toContain(of?.status);
      expect([path, of?.text]).toEqual([path, unknown?.text]);
    }
    const disks = [{ kind: 'copy', image: disk }];
    const body = { name: 'thief', cpus: 1, memoryBytes: 32 * MiB, disks };
    const stolen = await as(user, 'POST', { path: '/api/vms', body });
    expect(stolen.status).toBe(user === 'eve' ? 403 : 404);
    const thin = { path: '/api/vms/quick-create', body: { name: 'thief', image: disk, full: true } };
    expect((await as(user, 'POST', thin)).status).toBe(user === 'eve' ? 403 : 404);
    for (const path of ['/api/images?limit=1', '/api/images?limit=200', '/api/vms', '/api/operations'])
      expect((await as(user, 'GET', { path })).text).not.toContain(name);
    // A page without visible items still leads to the next page.
    const pages: string[] = [];
    for (let next: string | undefined = ''; next !== undefined;) {
      const { json } = await as(user, 'GET', { path: `/api/images?limit=1${next && `&cursor=${next}`}` });
      pages.push(...(json['items'] as { name: string }[]).map((image) => image.name));
      next = json['next'] as string | undefined;
    }
    expect(pages).toEqual(user === 'bob' ? ['echo.raw', 'of-bob-disk0.qcow2'] : ['echo.raw']);
  });

  it('receives no message and no event about it', async () => {
    const cookie = cookies['bob'] ?? '';
    const { port, origin } = server;
    const live = await openSocket({ port, origin, cookie, ticket: await server.ticket(cookie) });
    live.socket.send(JSON.stringify({ t: 'sub', id: 1, list: 'all' }));
    live.socket.send(JSON.stringify({ t: 'sub', id: 2, ops: [{ op: making }] }));
    const second = await make('ann', `${name}-2`);
    await as('ann', 'DELETE', { path: `/api/vms/${second.id}`, body: { disks: true } });
    await waitUntil('its end', async () => (await listOf('ann')).every((vm) => vm.id !== second.id));
    // The socket works: Bob receives messages about his own machine.
    await make('bob', 'of-bob-2');
    await waitUntil("Bob's own", () => live.messages.some((text) => text.includes('of-bob-2')));
    expect(live.messages.filter((text) => text.includes(name) || text.includes(uuid))).toEqual([]);
    expect(live.messages.find((text) => text.includes('"id":2'))).toContain('not_found');
    for (const path of ['', '/log', '/events'])
      expect((await as('bob', 'GET', { path: `/api/operations/${making}${path}` })).status).toBe(404);
    live.socket.terminate();
  });

  it('cannot retry an operation on its disk, even with control of that operation', async () => {
    await make('ann', `${name}-off`, { start: false });
    const image = (await listOf('ann')).find((vm) => vm.name === `${name}-off`)?.disks[0]?.image;
    const begin = async (path: string, body: unknown): Promise<string> =>
      accepted.parse((await as('ann', 'POST', { path, body })).json).operation.id;
    // Both slots of the pool are taken, so that the next operations wait and can be cancelled.
    await writeFile(join(server.dataDir, 'images', 'large.raw'), Buffer.alloc(8 * MiB, 1));
    await server.ask('POST', `/api/pools/${poolId}/rescan`, { bearer: adminToken });
    const large = imageList
      .parse((await as('ann', 'GET', { path: '/api/images?limit=200' })).json)
      .items.find((one) => one.name === 'large.raw')?.id;
    const slow = { method: 'copy', bytesPerSecond: 65_536 };
    const busy: string[] = [];
    for (const called of ['large-1.raw', 'large-2.raw'])
      busy.push(await begin(`/api/images/${large}/copy`, { name: called, ...slow }));
    const disks = [{ kind: 'copy', image, method: 'copy' }];
    const ended = [
      await begin(`/api/images/${image}/copy`, { name: 'copied.qcow2', method: 'copy' }),
      await begin(`/api/images/${image}/verify`, {}),
      await begin('/api/vms', { name: 'copied', cpus: 1, memoryBytes: 32 * MiB, disks, start: false }),
    ];
    const unknown = (await as('bob', 'POST', { path: `/api/operations/${'a'.repeat(26)}/retry` })).text;
    for (const operation of ended) {
      const path = `/api/operations/${operation}`;
      await as('ann', 'POST', { path: `${path}/cancel` });
      await as('ann', 'POST', { path: `${path}/grants`, body: { userName: 'bob', level: 'control' } });
      await waitUntil('its end', async () => {
        const { json } = await as('bob', 'GET', { path });
        return json['state'] === 'cancelled';
      });
      const refused = await as('bob', 'POST', { path: `${path}/retry` });
      expect([refused.status, refused.text]).toEqual([404, unknown]);
    }
    for (const operation of busy) await as('ann', 'POST', { path: `/api/operations/${operation}/cancel` });
    const { json } = await as('bob', 'GET', { path: '/api/operations?action=copy_vm_image' });
    expect((json['items'] as { owner: string }[]).filter(({ owner }) => owner === users['bob'])).toEqual([]);
  });

  it('cannot open its screen: with a ticket for another machine, of another user, or none', async () => {
    const own = { port: server.port, path: `/api/vms/${id}/screen`, origin: server.origin };
    const [ann, bob] = [cookies['ann'] ?? '', cookies['bob'] ?? ''];
    const forOwn = await ticketOf({ cookie: bob }, bobs);
    expect((await shakeHands({ ...own, cookie: bob, ticket: forOwn })).status).toBe(403);
    const stolen = await ticketOf({ cookie: ann }, id);
    expect((await shakeHands({ ...own, cookie: bob, ticket: stolen })).status).toBe(401);
    const { secret } = await tokenOf('bob', 'write');
    const program = { port: server.port, path: own.path, bearer: secret };
    expect((await shakeHands(program)).status).toBe(401);
    const ofAnn = await ticketOf({ cookie: ann }, id);
    expect((await shakeHands({ ...program, ticket: ofAnn })).status).toBe(401);
    const guessed = Buffer.alloc(32, 7).toString('base64url');
    expect((await shakeHands({ ...own, cookie: bob, ticket: guessed })).status).toBe(401);
  });
});

describe('token that may see a machine but not control it', () => {
  it('cannot type into its screen or change it', async () => {
    const { secret } = await tokenOf('ann', 'read');
    const look = await screenByToken(secret);
    look.socket.send(pressKey('n'));
    await waitForFrame(look);
    const type = await screenOf('ann');
    type.socket.send(pressKey('y'));
    await waitUntil('the key', async () => (await serial()).includes('y'));
    expect(await serial()).not.toContain('n');
    const { json } = await server.ask('GET', `/api/vms/${id}`, { bearer: secret });
    expect(json['may']).toMatchObject({ screen: true, input: false, serial: true, powerOff: false });
    for (const screen of [look, type]) screen.socket.terminate();
    for (const [method, path, body] of addresses.filter(([verb]) => verb !== 'GET')) {
      const refused = await server.ask(method, `/api/vms/${id}${path}`, { bearer: secret, body });
      expect([path, refused.status]).toEqual([path, 403]);
    }
  });
});

describe('right lost during a session', () => {
  /** Gives Ann her role back. */
  async function restore(): Promise<void> {
    const body = { role: 'operator', disabled: false };
    await server.ask('PATCH', `/api/users/${users['ann']}`, { bearer: adminToken, body });
    cookies['ann'] = await server.signIn('ann');
  }

  it.each([{ role: 'viewer' }, { disabled: true }])('by %j closes screen and serial log', async (body) => {
    const screen = await screenOf('ann');
    const log = await follow(sessionHeaders(cookies['ann'] ?? ''));
    const unused = await ticketOf({ cookie: cookies['ann'] ?? '' }, id);
    await server.ask('PATCH', `/api/users/${users['ann']}`, { bearer: adminToken, body });
    expect(await screen.closed).toBe(4401);
    await log.ended;
    const own = { port: server.port, path: `/api/vms/${id}/screen`, origin: server.origin };
    const late = await shakeHands({ ...own, cookie: cookies['ann'] ?? '', ticket: unused });
    expect(late.status).toBe(401);
    await restore();
  });

  it('by a sign-out closes only what that session opened', async () => {
    const { secret } = await tokenOf('ann', 'read');
    const [screen, kept] = [await screenOf('ann'), await screenByToken(secret)];
    const logs = [
      await follow(sessionHeaders(cookies['ann'] ?? '')),
      await follow({ authorization: `Bearer ${secret}` }),
    ];
    await as('ann', 'DELETE', { path: '/api/session' });
    expect(await screen.closed).toBe(4401);
    await logs[0]?.ended;
    await waitForFrame(kept);
    cookies['ann'] = await server.signIn('ann');
    const type = await screenOf('ann');
    type.socket.send(pressKey('Q'));
    await waitUntil('the key in the other log', () => logs[1]?.text().includes('Q') === true);
    type.socket.terminate();
    kept.socket.terminate();
    logs[1]?.leave();
    await logs[1]?.ended;
  });

  it('by a revoked token closes screen and serial log', async () => {
    const token = await tokenOf('ann', 'read');
    const screen = await screenByToken(token.secret);
    const log = await follow({ authorization: `Bearer ${token.secret}` });
    await as('ann', 'DELETE', { path: `/api/tokens/${token.id}` });
    expect(await screen.closed).toBe(4401);
    await log.ended;
  });

  it('by session expiry closes screen and serial log', async () => {
    const { store } = server.running;
    // Late enough that a busy host opens both before.
    const expiresAt = new Date(Date.now() + 6000).toISOString();
    const query = store.db
      .updateTable('sessions')
      .set({ expiresAt })
      .where('userId', '=', users['ann'] ?? '');
    await store.write([{ query }]);
    const screen = await screenOf('ann');
    const log = await follow(sessionHeaders(cookies['ann'] ?? ''));
    expect(await screen.closed).toBe(4401);
    await log.ended;
    expect((await as('ann', 'GET', { path: `/api/vms/${id}` })).status).toBe(401);
    cookies['ann'] = await server.signIn('ann');
  });

  it('frees the slots of followers, and a refusal takes none', async () => {
    const headers = sessionHeaders(cookies['ann'] ?? '');
    const leaving = new AbortController();
    const { signal } = leaving;
    const ask = async (of: number): Promise<number> => {
      const response = await fetch(`${server.origin}/api/vms/${of}/serial?follow=true`, { headers, signal });
      if (response.status !== 200) await response.body?.cancel();
      return response.status;
    };
    for (let count = 0; count < 10; count += 1) expect(await ask(4711)).toBe(404);
    const statuses: number[] = [];
    for (let count = 0; count < 9; count += 1) statuses.push(await ask(id));
    expect(statuses).toEqual([...Array.from({ length: 8 }, () => 200), 429]);
    leaving.abort();
  });
});
