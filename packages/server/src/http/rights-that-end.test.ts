import { truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepted, vmList } from '@wcc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionIdleMs } from '../access/sessions.ts';
import { createEcho, writeDisk } from '../machines/hypervisor/guest.testkit.ts';
import { waitUntil } from '../machines/hypervisor/wait.testkit.ts';
import { serveEndlessFile } from '../images/import/endless-file.testkit.ts';
import type { EndlessFile } from '../images/import/endless-file.testkit.ts';
import { newSession, observeConnections, openImport, openKinds } from './open-things.testkit.ts';
import { openStubbornly, prepareOpening } from './open-things.testkit.ts';
import type { Caller, OpenKind, OpenThing } from './open-things.testkit.ts';
import type { ServedConnections, Things } from './open-things.testkit.ts';
import { greet, openScreen, waitForFrame } from './screens.testkit.ts';
import type { Screen } from './screens.testkit.ts';
import { adminToken, sessionHeaders, startTestServer } from './server.testkit.ts';
import type { Answer, ServerUnderTest } from './server.testkit.ts';

/**
 * Whatever is open ends within a second after its rights: by every cause, whether it is open or
 * just being opened. `WCC_REVOKE_TRIES=500` is the full number of tries.
 */
const tries = Number(process.env['WCC_REVOKE_TRIES'] ?? '42');
const MiB = 1024 ** 2;
let server: ServerUnderTest;
let served: ServedConnections;
let things: Things;
/** Administrators, because each of them sees every machine and the limits count by user. */
const users: string[] = [];
/** By kind: users whom a try disables, so that no other try has them. */
const disabledUsers = new Map<string, string>();
let files: EndlessFile;

const ask = (method: string, path: string, body?: unknown): Promise<Answer> =>
  server.ask(method, path, body === undefined ? { bearer: adminToken } : { bearer: adminToken, body });

beforeAll(async () => {
  const uploads = { expiryMs: 7 * 86_400_000, quota: { freeFraction: 1 }, maxPerUser: 1000 };
  server = await startTestServer({
    freeSpaceFloor: { bytes: 0, fraction: 0 },
    importAllow: ['127.0.0.1'],
    uploads,
  });
  served = observeConnections(server.port);
  files = await serveEndlessFile();
  const images = join(server.dataDir, 'images');
  await writeDisk(join(images, 'echo.raw'), [createEcho()]);
  await writeFile(join(images, 'huge.raw'), 'x');
  await truncate(join(images, 'huge.raw'), 1024 ** 4);
  const [pool] = (await ask('GET', '/api/pools')).json['items'] as { id: string }[];
  await ask('POST', `/api/pools/${pool?.id}/rescan`);
  const found = (await ask('GET', '/api/images')).json['items'] as { id: number; name: string }[];
  const idOf = (name: string): number => found.find((image) => image.name === name)?.id ?? 0;
  const machine = { name: 'echo', image: idOf('echo.raw'), cpus: 1, memoryBytes: 32 * MiB, start: true };
  const { operation } = accepted.parse((await ask('POST', '/api/vms/quick-create', machine)).json);
  await waitUntil('the machine', async () => {
    const { json } = await ask('GET', `/api/operations/${operation.id}`);
    if (json['state'] === 'failed') throw new Error(JSON.stringify(json));
    return json['state'] === 'succeeded';
  });
  const sheep = {
    action: 'count_sheep',
    subject: { kind: 'flock', id: 7, name: 'merino' },
    total: 10,
    leaseS: 3600,
  };
  const published = accepted.parse((await ask('POST', '/api/operations', sheep)).json);
  things = { operation: published.operation.id, vm: Number(operation.subject.id), image: idOf('huge.raw') };
  for (let number = 1; number <= 6; number += 1) users.push(await server.addUser(`root${number}`, 'admin'));
  for (const kind of [...openKinds, 'import'])
    disabledUsers.set(kind, await server.addUser(`leaves-${kind.replaceAll(' ', '-')}`, 'admin'));
}, 120_000);
afterAll(async () => {
  const { items } = vmList.parse((await ask('GET', '/api/vms')).json);
  for (const { id } of items) await ask('POST', `/api/vms/${id}/power-off`);
  files.close();
  served.close();
  await server.close();
});

/** What ends the rights of a session. */
const sessionCauses = ['revocation', 'expiry', 'idleness'] as const;
const causes = [...sessionCauses, 'disabling of the user', 'revocation of the token'] as const;
type Cause = (typeof causes)[number];
type Kind = OpenKind | 'import';

interface Session {
  cookie: string;
  key: string;
}

/** Ends the rights of the session now. */
async function endRights({ cookie, key }: Session, cause: (typeof sessionCauses)[number]): Promise<void> {
  if (cause === 'revocation') {
    expect((await server.ask('DELETE', '/api/session', { cookie })).status).toBe(204);
    return;
  }
  const { store } = server.running;
  const changes =
    cause === 'expiry'
      ? { expiresAt: new Date().toISOString() }
      : { lastSeenAt: new Date(Date.now() - sessionIdleMs).toISOString() };
  await store.write([{ query: store.db.updateTable('sessions').set(changes).where('idHash', '=', key) }]);
}

/** A caller with rights, which `end` ends by the cause. */
async function callerFor({ kind, cause, user }: Try): Promise<{ caller: Caller; end: () => Promise<void> }> {
  const session = await newSession(server, user);
  const { cookie } = session;
  if (cause === 'revocation of the token') {
    const body = { name: `ci ${kind}`, scope: 'write' };
    const made = await server.ask('POST', '/api/tokens', { cookie, body });
    expect(made.status).toBe(201);
    const end = async (): Promise<void> =>
      expect((await ask('DELETE', `/api/tokens/${String(made.json['id'])}`)).status).toBe(204);
    return { caller: { bearer: String(made.json['secret']) }, end };
  }
  if (cause !== 'disabling of the user') return { caller: { cookie }, end: () => endRights(session, cause) };
  const end = async (): Promise<void> =>
    expect((await ask('PATCH', `/api/users/${user}`, { disabled: true })).status).toBe(200);
  return { caller: { cookie }, end };
}

interface Try {
  kind: Kind;
  cause: Cause;
  /** From the opening to the end of the rights; negative: the rights end first. */
  delayMs: number;
  user: string;
}

interface Outcome extends Try {
  isOver: boolean;
  /** The first line of the answer, for the report of a failure. */
  answer: string;
  /** Bytes that the server wrote later than a second after the end of the rights; not those of a refusal. */
  lateBytes: number;
}

/** A second in which this process runs, and the server in it: a busy host can stop both for longer. */
async function aSecond(): Promise<void> {
  for (let step = 0; step < 50; step += 1) await sleep(20);
}

async function tryOnce(one: Try): Promise<Outcome> {
  const { kind, cause, user } = one;
  const { caller, end } = await callerFor(one);
  const opening = kind === 'import' ? null : await prepareOpening(server, { kind, caller, things });
  const later = (ms: number): Promise<void> => (ms > 0 ? sleep(ms) : Promise.resolve());
  const open = async (): Promise<OpenThing> => {
    await later(-one.delayMs);
    if (kind === 'import' || opening === null) return openImport(server, caller, files);
    return served.of(openStubbornly(server.port, kind, opening));
  };
  const [thing] = await Promise.all([open(), later(one.delayMs).then(end)]);
  await aSecond();
  const movedBytes = thing.movedBytes();
  const isLate = thing.isPending();
  // A busy host may answer later, but then only with a refusal.
  if (isLate) {
    const hasArrived = (): boolean => thing.text() !== '' || thing.movedBytes() === 0;
    await waitUntil('a refusal or a cut', () => thing.isOver() && hasArrived());
  }
  const isOver = thing.isOver();
  await sleep(300);
  const lateBytes = isLate && isRefused(thing) ? 0 : thing.movedBytes() - movedBytes;
  thing.destroy();
  if (cause === 'disabling of the user') await ask('PATCH', `/api/users/${user}`, { disabled: false });
  const [answer = ''] = thing.text().split('\r\n', 1);
  return { ...one, isOver, answer, lateBytes };
}

const isRefused = (thing: OpenThing): boolean => thing.text().startsWith('HTTP/1.1 401');

/** Every kind with every cause. An import outlives its session and its token: decision 0229. */
const pairs = [...openKinds, 'import' as const].flatMap((kind) =>
  causes
    .filter((cause) => kind !== 'import' || cause === 'disabling of the user')
    .map((cause) => ({ kind, cause })),
);

const atOneTime = 21;

/** Some pairs at one time: a host of two processors answers more of them late. */
function nextPairs(number: number): typeof pairs {
  return Array.from({ length: atOneTime }, (_, at) => pairs[(number + at) % pairs.length]).filter(
    (pair) => pair !== undefined,
  );
}

/** A user for a try. One that is disabled belongs to this try alone. */
function userFor(kind: Kind, cause: Cause, number: number): string {
  const shared = users[number % users.length] ?? '';
  return cause === 'disabling of the user' ? (disabledUsers.get(kind) ?? '') : shared;
}

describe('SH4: everything that is open, or is just being opened', () => {
  it(
    `ends within a second after its rights, in ${tries} tries`,
    { timeout: 60_000 + tries * 1000 },
    async () => {
      const outcomes: Outcome[] = [];
      for (let number = 0; number < tries;) {
        const round: Promise<Outcome>[] = [];
        for (const { kind, cause } of nextPairs(number)) {
          if (number >= tries) continue;
          // Before, during and after the opening, which takes some milliseconds.
          const delayMs = number % 2 === 0 ? Math.random() * 20 - 5 : Math.random() * 300;
          round.push(tryOnce({ kind, cause, delayMs, user: userFor(kind, cause, number) }));
          number += 1;
        }
        outcomes.push(...(await Promise.all(round)));
        for (const { id } of (await ask('GET', '/api/uploads?owner=all')).json['items'] as { id: string }[])
          await server.ask('DELETE', `/api/uploads/${id}`, {
            bearer: adminToken,
            headers: { 'tus-resumable': '1.0.0' },
          });
      }
      expect(outcomes.filter(({ isOver, lateBytes }) => !isOver || lateBytes > 0)).toEqual([]);
      expect(outcomes).toHaveLength(tries);
    },
  );

  it('works while its rights last, whatever its kind', async () => {
    const session = await newSession(server, users[0] ?? '');
    const clients = await Promise.all(
      openKinds.map(async (kind) => {
        const opening = await prepareOpening(server, { kind, caller: { cookie: session.cookie }, things });
        return { kind, client: openStubbornly(server.port, kind, opening) };
      }),
    );
    await sleep(1500);
    for (const { kind, client } of clients) {
      expect([kind, client.isCut()]).toEqual([kind, false]);
      // The answer to an upload comes at its end.
      if (kind !== 'upload')
        expect([kind, client.text()]).toEqual([kind, expect.stringMatching(/^HTTP\/1\.1 (101|200)/)]);
    }
    await endRights(session, 'revocation');
    await waitUntil('the cuts', () => clients.every(({ client }) => client.isCut()));
    for (const { client } of clients) client.destroy();
  });
});

describe('SM3: an upload by a token', () => {
  it('takes no byte after the end of the token, and is not published', async () => {
    const { cookie } = await newSession(server, users[0] ?? '');
    const made = await server.ask('POST', '/api/tokens', { cookie, body: { name: 'ci', scope: 'write' } });
    const [bearer, tokenId] = [String(made.json['secret']), String(made.json['id'])];
    const { store } = server.running;
    const expiresAt = new Date(Date.now() + 1500).toISOString();
    const query = store.db.updateTable('tokens').set({ expiresAt }).where('id', '=', tokenId);
    await store.write([{ query }]);
    const headers = {
      'tus-resumable': '1.0.0',
      'upload-length': '100000',
      'upload-metadata': 'filename bGF0ZS5yYXc=',
    };
    const upload = await server.ask('POST', '/api/uploads', { bearer, headers });
    const client = connect(server.port, '127.0.0.1').on('error', () => {});
    let answer = '';
    client.setEncoding('latin1').on('data', (text: string) => (answer += text));
    const lines = [`PATCH ${String(upload.headers.location)} HTTP/1.1`, `Host: 127.0.0.1:${server.port}`];
    lines.push(`Authorization: Bearer ${bearer}`, 'Tus-Resumable: 1.0.0', 'Upload-Offset: 0');
    lines.push('Content-Type: application/offset+octet-stream', 'Content-Length: 100000');
    client.write(`${lines.join('\r\n')}\r\n\r\n`);
    const sending = setInterval(() => client.write(Buffer.alloc(1000, 1)), 40);
    await waitUntil('the cut', () => client.destroyed);
    clearInterval(sending);
    expect(answer).toMatch(/^HTTP\/1\.1 401/);
    const { items } = (await ask('GET', '/api/images?limit=200')).json as { items: { name: string }[] };
    expect(items.map(({ name }) => name)).not.toContain('late.raw');
    await server.ask('DELETE', String(upload.headers.location), {
      bearer: adminToken,
      headers: { 'tus-resumable': '1.0.0' },
    });
  });
});

describe('SH4: a request whose body arrives slowly', () => {
  it('is not carried out when its rights end before the last byte', async () => {
    const session = await newSession(server, users[0] ?? '');
    const body = JSON.stringify({
      name: 'backdoor',
      role: 'admin',
      password: 'correct horse battery staple',
    });
    const client = connect(server.port, '127.0.0.1').on('error', () => {});
    let answer = '';
    client.setEncoding('latin1').on('data', (text: string) => (answer += text));
    const lines = ['POST /api/users HTTP/1.1', `Host: 127.0.0.1:${server.port}`, `Origin: ${server.origin}`];
    lines.push(
      ...Object.entries(sessionHeaders(session.cookie)).map(([name, value]) => `${name}: ${value}`),
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    );
    client.write(`${lines.join('\r\n')}\r\n\r\n${body.slice(0, 20)}`);
    await sleep(200);
    await endRights(session, 'revocation');
    client.write(body.slice(20));
    await waitUntil('the answer', () => answer.includes('\r\n\r\n') || client.destroyed);
    const { items } = (await ask('GET', '/api/users')).json as { items: { name: string }[] };
    expect(items.map(({ name }) => name)).not.toContain('backdoor');
    expect(answer === '' || answer.startsWith('HTTP/1.1 401')).toBe(true);
    client.destroy();
  });
});

describe('SM5: a screen that asks for exclusive access', () => {
  it('does not close the screens of others', async () => {
    const { port, origin } = server;
    const { cookie } = await newSession(server, users[0] ?? '');
    const screenOf = async (): Promise<Screen> => {
      const body = { purpose: 'screen', target: String(things.vm) };
      const { json } = await server.ask('POST', '/api/ws-tickets', { cookie, body });
      return openScreen({ port, id: things.vm, ticket: String(json['ticket']), cookie, origin });
    };
    const works = await screenOf();
    await greet(works);
    const looks = await screenOf();
    await waitUntil('the greeting', () => looks.received().length >= 12);
    looks.socket.send(Buffer.from('RFB 003.008\n\x01\x00', 'latin1'));
    await waitUntil('the size of the screen', () => looks.received().length > 42);
    await waitForFrame(looks);
    await waitForFrame(works);
    expect(works.socket.readyState).toBe(works.socket.OPEN);
    for (const { socket } of [works, looks]) socket.terminate();
  });
});

describe('SH1: a screen whose client ignores the close frame', () => {
  it.each(sessionCauses)(
    'passes no key to the machine after %s, and is cut within a second',
    async (cause) => {
      const session = await newSession(server, users[0] ?? '');
      const { cookie } = session;
      const serial = async (): Promise<number> =>
        (await ask('GET', `/api/vms/${things.vm}/serial?tail=65536`)).text.split('z').length;
      const opening = await prepareOpening(server, { kind: 'screen', caller: { cookie }, things });
      const client = openStubbornly(server.port, 'screen', opening);
      const typedBefore = await serial();
      await waitUntil('typed keys', async () => (await serial()) > typedBefore + 3);
      await endRights(session, cause);
      // The server notices an end by time within a fifth of a second.
      await sleep(600);
      const typed = await serial();
      await sleep(400);
      expect(client.isCut()).toBe(true);
      await sleep(1000);
      expect(await serial()).toBe(typed);
      client.destroy();
    },
  );
});
