import { accepted, host, vm, vmList } from '@wcc/api';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBootable } from '../../machines/machines.testkit.ts';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { bootSectorTexts } from '../../images/sample/boot-sector.ts';
import { adminToken, startTestServer } from '../server.testkit.ts';
import type { ServerUnderTest } from '../server.testkit.ts';
import { greet, openScreen, pressKey, waitForFrame } from '../screens.testkit.ts';
import type { Screen } from '../screens.testkit.ts';
import { shakeHands } from '../upgrade.testkit.ts';

const MiB = 1024 ** 2;
const small = { cpus: 1, memoryBytes: 32 * MiB };

let server: ServerUnderTest;
let ann: string;
let bob: string;
let annToken: string;
/** Ann's running machine. */
let id: number;

beforeAll(async () => {
  server = await startTestServer({ freeSpaceFloor: { bytes: 0, fraction: 0 } });
  await writeBootable(join(server.dataDir, 'images', 'template.raw'));
  const pools = await server.ask('GET', '/api/pools', { bearer: adminToken });
  const [pool] = pools.json['items'] as { id: string }[];
  await server.ask('POST', `/api/pools/${pool?.id}/rescan`, { bearer: adminToken });
  await server.addUser('ann');
  await server.addUser('bob');
  [ann, bob] = [await server.signIn('ann'), await server.signIn('bob')];
  const token = await server.ask('POST', '/api/tokens', { cookie: ann, body: { name: 't', scope: 'read' } });
  annToken = String(token.json['secret']);
  id = await make('screen');
});
afterAll(async () => {
  const { items } = vmList.parse((await server.ask('GET', '/api/vms', { bearer: adminToken })).json);
  for (const one of items) await server.ask('POST', `/api/vms/${one.id}/power-off`, { bearer: adminToken });
  await server.close();
});

async function make(name: string): Promise<number> {
  const body = { name, image: 100, ...small };
  const answer = await server.ask('POST', '/api/vms/quick-create', { cookie: ann, body });
  const { operation } = accepted.parse(answer.json);
  await waitUntil(`${name} to be made`, async () => {
    const { json } = await server.ask('GET', `/api/operations/${operation.id}`, { cookie: ann });
    if (json['state'] === 'failed') throw new Error(JSON.stringify(json['error']));
    return json['state'] === 'succeeded';
  });
  return Number(operation.subject.id);
}

const screenPath = (of = id): string => `/api/vms/${of}/screen`;

async function screenTicket(cookie: string, target = String(id)): Promise<string> {
  const answer = await server.ask('POST', '/api/ws-tickets', { cookie, body: { purpose: 'screen', target } });
  if (answer.status !== 200) throw new Error(answer.text);
  return String(answer.json['ticket']);
}

async function openOwn(query = ''): Promise<Screen> {
  const { port, origin } = server;
  return openScreen({ port, id, ticket: await screenTicket(ann), origin, cookie: ann, query });
}

describe('machine routes', () => {
  it('answer as the API schemas say', async () => {
    const answer = host.parse((await server.ask('GET', '/api/host', { cookie: bob })).json);
    expect(answer.hypervisor).toMatchObject({ driver: 'qemu', missing: null });
    const { items } = vmList.parse((await server.ask('GET', '/api/vms', { cookie: ann })).json);
    expect(items.map(({ name, state }) => `${name} ${state}`)).toEqual(['screen running']);
    const one = vm.parse((await server.ask('GET', `/api/vms/${id}`, { cookie: ann })).json);
    expect(one.may).toMatchObject({ screen: true, input: true, start: false, powerOff: true });
    const refused = await server.ask('POST', '/api/vms', {
      cookie: ann,
      body: { name: 'screen', disks: [] },
    });
    expect([refused.status, refused.json['code'], refused.json['field']]).toEqual([
      409,
      'vm_name_taken',
      'name',
    ]);
  });

  it('return the tail of the serial log, and follow it', async () => {
    const read = (query: string, cookie = ann): ReturnType<ServerUnderTest['ask']> =>
      server.ask('GET', `/api/vms/${id}/serial${query}`, { cookie });
    await waitUntil('the guest to be ready', async () =>
      (await read('')).text.includes(bootSectorTexts.ready),
    );
    expect((await read('?tail=5')).text).toHaveLength(5);
    expect((await read('')).headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect((await read('?tail=0')).status).toBe(422);
    const whole = (await read('')).text;
    const followers = await Promise.all(['', '&tail=5', '&tail=1048576'].map(followLog));
    const texts = (): string[] => followers.map(({ text }) => text());
    await waitUntil('the logs so far', () => texts().every((text) => text !== ''));
    expect(texts()).toEqual([whole, whole.slice(-5), whole]);
    await server.ask('POST', `/api/vms/${id}/reset`, { cookie: ann });
    await waitUntil('the second greeting', () =>
      texts().every((text, index) =>
        text.slice(index === 1 ? 5 : whole.length).includes(bootSectorTexts.hello),
      ),
    );
    for (const { leave } of followers) await leave();
  });

  async function followLog(query: string): Promise<{ text: () => string; leave: () => Promise<void> }> {
    const leaving = new AbortController();
    const response = await fetch(`${server.origin}/api/vms/${id}/serial?follow=true${query}`, {
      headers: { authorization: `Bearer ${adminToken}` },
      signal: leaving.signal,
    });
    let text = '';
    const reading = (async () => {
      for await (const part of response.body ?? []) text += Buffer.from(part).toString();
    })().catch(() => {});
    return {
      text: () => text,
      leave: () => {
        leaving.abort();
        return reading;
      },
    };
  }

  it('return a screenshot as PNG', async () => {
    const answer = await fetch(`${server.origin}/api/vms/${id}/screenshot`, {
      headers: { authorization: `Bearer ${annToken}` },
    });
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(
      Buffer.from(await answer.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });

  it('keep one first-boot profile per user', async () => {
    const body = { user: 'ann', sshKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann'] };
    expect((await server.ask('PUT', '/api/session/profile', { cookie: ann, body })).json).toEqual(body);
    expect((await server.ask('GET', '/api/session/profile', { cookie: ann })).json).toEqual(body);
    const empty = { user: null, sshKeys: [] };
    expect((await server.ask('GET', '/api/session/profile', { cookie: bob })).json).toEqual(empty);
  });

  it.each(['1; rm -rf /', '--help', '-1', '', '<a/>', '"}', 'a\nb', '../x', 'ä', 'x'.repeat(64)])(
    'refuse the machine name %j',
    async (name) => {
      const answer = await server.ask('POST', '/api/vms', {
        cookie: ann,
        body: { name, disks: [], ...small },
      });
      expect([answer.status, answer.json['field']]).toEqual([422, 'name']);
    },
  );

  it('keep a machine named "1" apart from the running machine number 1', async () => {
    const one = await make('1');
    await server.ask('POST', `/api/vms/${one}/power-off`, { cookie: ann });
    const states = vmList
      .parse((await server.ask('GET', '/api/vms', { cookie: ann })).json)
      .items.map(({ name, state }) => `${name} ${state}`);
    expect(states).toEqual(['screen running', '1 shut_off']);
  });

  it('answer a user without rights as for a missing machine', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/serial'],
      ['GET', '/screenshot'],
      ['POST', '/power-off'],
      ['DELETE', ''],
    ] as const) {
      const forbidden = await server.ask(method, `/api/vms/${id}${path}`, { cookie: bob });
      const unknown = await server.ask(method, `/api/vms/4711${path}`, { cookie: bob });
      expect([forbidden.status, forbidden.text]).toEqual([404, unknown.text]);
    }
    const ticket = { cookie: bob, body: { purpose: 'screen', target: String(id) } };
    expect((await server.ask('POST', '/api/ws-tickets', ticket)).status).toBe(404);
    expect((await server.ask('GET', '/api/vms', { cookie: bob })).json).toEqual({ items: [] });
  });
});

describe('machine screen', () => {
  it('speaks RFB in both directions', async () => {
    const screen = await openOwn();
    await greet(screen);
    await waitForFrame(screen);
    expect(screen.socket.protocol).toBe('wcc.v1');
    screen.socket.close();
    await screen.closed;
  });

  it('ignores input when view-only, and closes on malformed RFB', async () => {
    const screen = await openOwn('?viewOnly=true');
    await greet(screen);
    screen.socket.send(pressKey('a'));
    await waitForFrame(screen);
    screen.socket.send(Buffer.from([99]));
    expect(await screen.closed).toBe(4400);
  });

  it('opens only once per ticket, for its own machine, session and Origin', async () => {
    const own = { port: server.port, path: screenPath(), origin: server.origin, cookie: ann };
    expect((await shakeHands({ ...own, ticket: await server.ticket(ann) })).status).toBe(403);
    const ticket = await screenTicket(ann);
    expect((await shakeHands({ ...own, ticket, origin: 'https://evil.example' })).status).toBe(403);
    expect((await shakeHands({ ...own, ticket, host: 'evil.example' })).status).toBe(403);
    const answers = await Promise.all([1, 2].map(() => shakeHands({ ...own, ticket })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([101, 401]);
    expect(answers.every(({ head }) => !head.includes(ticket))).toBe(true);
    expect((await shakeHands({ ...own, ticket: await screenTicket(ann), cookie: bob })).status).toBe(401);
    expect(
      (await shakeHands({ ...own, path: '/api/vms/4711/screen', ticket: await screenTicket(ann) })).status,
    ).toBe(403);
    expect((await shakeHands(own)).status).toBe(401);
    expect((await shakeHands({ ...own, path: '/api/other', ticket })).status).toBe(404);
    const watching = { ...own, path: '/api/ws', ticket: await screenTicket(ann) };
    expect((await shakeHands(watching)).status).toBe(401);
    expect((await server.ask('GET', screenPath(), { cookie: ann })).status).toBe(426);
    expect(server.log()).not.toContain(ticket);
  });

  it('closes when the session that opened it ends', async () => {
    const screen = await openOwn();
    await greet(screen);
    await server.ask('DELETE', '/api/session', { cookie: ann });
    expect(await screen.closed).toBe(4401);
    ann = await server.signIn('ann');
  });

  it('is refused while the machine is off, and closes on power-off', async () => {
    const screen = await openOwn();
    await greet(screen);
    await server.ask('POST', `/api/vms/${id}/power-off`, { cookie: ann });
    expect(await screen.closed).toBe(1000);
    const ticket = { cookie: ann, body: { purpose: 'screen', target: String(id) } };
    const answer = await server.ask('POST', '/api/ws-tickets', ticket);
    expect([answer.status, answer.json['code']]).toEqual([409, 'vm_not_running']);
  });
});
