import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
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

type Purpose = 'screen' | 'serial';
const socketPaths: Readonly<Record<Purpose, string>> = { screen: 'screen', serial: 'serial/socket' };

async function ticketFor(purpose: Purpose, cookie = ann): Promise<string> {
  const body = { purpose, target: String(id) };
  const answer = await server.ask('POST', '/api/ws-tickets', { cookie, body });
  if (answer.status !== 200) throw new Error(answer.text);
  return String(answer.json['ticket']);
}

const screenTicket = (cookie: string): Promise<string> => ticketFor('screen', cookie);

async function openOwn(query = ''): Promise<Screen> {
  const { port, origin } = server;
  return openScreen({ port, id, ticket: await screenTicket(ann), origin, cookie: ann, query });
}

/** Follows the serial log as a program. */
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
      const options = { cookie: bob, ...(method === 'DELETE' ? { body: { disks: true } } : {}) };
      const forbidden = await server.ask(method, `/api/vms/${id}${path}`, options);
      const unknown = await server.ask(method, `/api/vms/4711${path}`, options);
      expect([forbidden.status, forbidden.text]).toEqual([404, unknown.text]);
    }
    for (const purpose of ['screen', 'serial']) {
      const ticket = { cookie: bob, body: { purpose, target: String(id) } };
      expect((await server.ask('POST', '/api/ws-tickets', ticket)).status).toBe(404);
    }
    expect((await server.ask('GET', '/api/vms', { cookie: bob })).json).toEqual({ items: [] });
  });
});

describe.each(['screen', 'serial'] as const)('the %s socket of a machine', (purpose) => {
  const other = purpose === 'screen' ? 'serial' : 'screen';

  it('opens only once per ticket, for its own machine, purpose, session and Origin', async () => {
    const path = `/api/vms/${id}/${socketPaths[purpose]}`;
    const own = { port: server.port, path, origin: server.origin, cookie: ann };
    expect((await shakeHands({ ...own, ticket: await server.ticket(ann) })).status).toBe(403);
    expect((await shakeHands({ ...own, ticket: await ticketFor(other) })).status).toBe(403);
    const ticket = await ticketFor(purpose);
    expect((await shakeHands({ ...own, ticket, origin: 'https://evil.example' })).status).toBe(403);
    expect((await shakeHands({ ...own, ticket, host: 'evil.example' })).status).toBe(403);
    const answers = await Promise.all([1, 2].map(() => shakeHands({ ...own, ticket })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([101, 401]);
    expect(answers.every(({ head }) => !head.includes(ticket))).toBe(true);
    expect((await shakeHands({ ...own, ticket: await ticketFor(purpose), cookie: bob })).status).toBe(401);
    const elsewhere = `/api/vms/4711/${socketPaths[purpose]}`;
    const foreign = await shakeHands({ ...own, path: elsewhere, ticket: await ticketFor(purpose) });
    expect(foreign.status).toBe(403);
    expect((await shakeHands(own)).status).toBe(401);
    expect((await shakeHands({ ...own, path: '/api/other', ticket })).status).toBe(404);
    const watching = { ...own, path: '/api/ws', ticket: await ticketFor(purpose) };
    expect((await shakeHands(watching)).status).toBe(401);
    expect((await server.ask('GET', path, { cookie: ann })).status).toBe(426);
    expect(server.log()).not.toContain(ticket);
  });

  it('V10j: beyond 16 open ones, the ticket says why, because a browser hides the reason of a refused socket', async () => {
    const sockets = [];
    for (let count = 0; count < 16; count += 1) {
      const url = `ws://127.0.0.1:${server.port}/api/vms/${id}/${socketPaths[purpose]}`;
      const protocols = ['wcc.v1', `wcc.ticket.${await ticketFor(purpose)}`];
      const socket = new WebSocket(url, protocols, { origin: server.origin, headers: { cookie: ann } });
      await once(socket, 'open');
      sockets.push(socket);
    }
    const ticket = { cookie: ann, body: { purpose, target: String(id) } };
    const refused = await server.ask('POST', '/api/ws-tickets', ticket);
    expect([refused.status, refused.json['code']]).toEqual([429, 'too_many_watchers']);
    for (const socket of sockets) socket.terminate();
    await waitUntil(
      'a free slot',
      async () => (await server.ask('POST', '/api/ws-tickets', ticket)).status === 200,
    );
  });
});

describe('machine serial log', () => {
  it('V4: arrives over a socket, with new output', async () => {
    const url = `ws://127.0.0.1:${server.port}/api/vms/${id}/serial/socket?tail=5`;
    const protocols = ['wcc.v1', `wcc.ticket.${await ticketFor('serial')}`];
    const socket = new WebSocket(url, protocols, { origin: server.origin, headers: { cookie: ann } });
    let [text, announced] = ['', ''];
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) text += data.toString('latin1');
      else announced ||= data.toString();
    });
    const closed = once(socket, 'close');
    await waitUntil('the kept log', () => text.length >= 5);
    expect(announced).toBe('{"t":"log","bytes":5}');
    expect(socket.protocol).toBe('wcc.v1');
    await server.ask('POST', `/api/vms/${id}/reset`, { cookie: ann });
    await waitUntil('new output', () => text.includes(bootSectorTexts.ready));
    socket.close();
    await closed;
  });

  it('V5: has no time limit while it is followed and quiet', async () => {
    const opened: Socket[] = [];
    const note = (message: unknown): void => {
      const { request } = message as { request: IncomingMessage };
      if (request.url?.includes('follow=true') === true) opened.push(request.socket);
    };
    subscribe('http.server.request.start', note);
    const log = await followLog('');
    unsubscribe('http.server.request.start', note);
    const limits = (): (number | undefined)[] => opened.map(({ timeout }) => timeout);
    await waitUntil('the answer', () => opened.length === 1 && log.text() !== '');
    expect(limits()).toEqual([0]);
    await log.leave();
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
