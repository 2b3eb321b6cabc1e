import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accepted } from '@wcc/api';
import { createOperationId } from '@wcc/progress';
import { sessionIdleMs } from '../../access/sessions.ts';
import { createEcho, writeDisk } from '../../machines/hypervisor/guest.testkit.ts';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { newSession } from '../open-things.testkit.ts';
import { adminToken, beginRequest, readText, startTestServer } from '../server.testkit.ts';
import type { Answer, AskOptions, ServerUnderTest } from '../server.testkit.ts';

const MiB = 1024 ** 2;

/** Credentials that give no right at all. */
export const strangers = [
  'anonymous',
  'unknown token',
  'session of a disabled user',
  'token of a disabled user',
  'expired session',
  'idle session',
  'signed-out session',
  'expired token',
  'revoked token',
] as const;

/** Callers with rights. `owner` and `other` are operators; the things of the matrix are the owner's. */
export const callers = [
  'share',
  'viewer',
  'other',
  'owner',
  'admin',
  'viewer/read',
  'owner/read',
  'owner/write',
  'owner/publish',
  'admin/read',
  'admin/publish',
  'admin token',
] as const;
export type Stranger = (typeof strangers)[number];
export type Caller = (typeof callers)[number];
export type Credentials = Pick<AskOptions, 'cookie' | 'bearer'>;

/** What the addresses of the matrix name. */
export interface Things {
  pool: string;
  image: number;
  /** A machine that is shut off. */
  vm: number;
  /** A machine that runs. */
  running: number;
  /** A published operation that runs, one that ended, and a copy that ended. */
  report: string;
  ended: string;
  upload: string;
  users: Record<'viewer' | 'other' | 'owner' | 'admin' | 'friend' | 'gone', string>;
}

export interface Matrix {
  server: ServerUnderTest;
  things: Things;
  credentials: Record<Stranger | Caller, Credentials>;
  /** Status and body of an answer, whose stream is cut after its head. */
  ask(who: Stranger | Caller, probe: Probe): Promise<Pick<Answer, 'status' | 'text'>>;
  close(): Promise<void>;
}

/** One request to an endpoint, valid in every respect but the caller's right. */
export interface Probe {
  method: string;
  path: string;
  body?: unknown;
  rawBody?: string;
  headers?: Record<string, string>;
}

export async function startMatrix(): Promise<Matrix> {
  const uploads = { expiryMs: 86_400_000, quota: { freeFraction: 1 }, maxPerUser: 1000 };
  const server = await startTestServer({ freeSpaceFloor: { bytes: 0, fraction: 0 }, uploads });
  const users = {} as Things['users'];
  for (const [name, role] of [
    ['viewer', 'viewer'],
    ['other', 'operator'],
    ['owner', 'operator'],
    ['admin', 'admin'],
    ['friend', 'operator'],
    ['gone', 'admin'],
  ] as const)
    users[name] = await server.addUser(name, role);
  const sessions = {} as Record<keyof Things['users'], string>;
  for (const [name, id] of Object.entries(users))
    sessions[name as keyof Things['users']] = (await newSession(server, id)).cookie;
  const things = await makeThings(server, users, sessions.owner);
  const credentials = await makeCredentials(server, { users, sessions, report: things.report });
  return {
    server,
    things,
    credentials,
    ask: (who, probe) => askHead(server, probe, credentials[who]),
    async close() {
      await server.ask('POST', `/api/vms/${things.running}/power-off`, { bearer: adminToken });
      await server.close();
    },
  };
}

async function makeThings(server: ServerUnderTest, users: Things['users'], cookie: string): Promise<Things> {
  const ask = (method: string, path: string, body?: unknown): Promise<Answer> =>
    server.ask(method, path, body === undefined ? { cookie } : { cookie, body });
  const done = async (answer: Answer): Promise<ReturnType<typeof accepted.parse>['operation']> => {
    const { operation } = accepted.parse(answer.json);
    await waitUntil(`the end of ${operation.label}`, async () => {
      const { json } = await ask('GET', `/api/operations/${operation.id}`);
      if (json['state'] === 'failed') throw new Error(JSON.stringify(json));
      return json['state'] === 'succeeded';
    });
    const { json } = await ask('GET', `/api/operations/${operation.id}`);
    return json as unknown as ReturnType<typeof accepted.parse>['operation'];
  };
  await writeDisk(join(server.dataDir, 'images', 'echo.raw'), [createEcho()]);
  const pool = ((await ask('GET', '/api/pools')).json['items'] as { id: string }[])[0]?.id ?? '';
  await ask('POST', `/api/pools/${pool}/rescan`);
  const echo = ((await ask('GET', '/api/images')).json['items'] as { id: number }[])[0]?.id;
  const sample = await done(await ask('POST', '/api/images/sample', { name: 'sample.raw', sizeBytes: MiB }));
  const image = Number(sample.result?.id);
  await ask('PATCH', `/api/images/${image}`, { template: true });
  const size = { image: echo, cpus: 1, memoryBytes: 32 * MiB };
  const off = await done(await ask('POST', '/api/vms/quick-create', { ...size, name: 'off', start: false }));
  const on = await done(await ask('POST', '/api/vms/quick-create', { ...size, name: 'on', start: true }));
  const report = accepted.parse((await ask('POST', '/api/operations', sheep)).json).operation;
  const headers = tusHeaders({ 'upload-length': '100', 'upload-metadata': 'filename dXBsb2FkLnJhdw==' });
  const upload = await server.ask('POST', '/api/uploads', { cookie, headers });
  return {
    pool,
    image,
    vm: Number(off.subject.id),
    running: Number(on.subject.id),
    report: report.id,
    ended: sample.id,
    upload: String(upload.headers.location).split('/').at(-1) ?? '',
    users,
  };
}

export const sheep = {
  action: 'count_sheep',
  subject: { kind: 'flock', id: 7, name: 'merino' },
  total: 10,
  leaseS: 3600,
};

export const tusHeaders = (headers: Record<string, string>): Record<string, string> => ({
  'tus-resumable': '1.0.0',
  ...headers,
});

interface People {
  users: Things['users'];
  sessions: Record<keyof Things['users'], string>;
  report: string;
}

async function makeCredentials(
  server: ServerUnderTest,
  { users, sessions, report }: People,
): Promise<Matrix['credentials']> {
  const { store } = server.running;
  const post = async (
    user: keyof People['users'],
    path: string,
    body: object,
  ): Promise<Record<string, unknown>> => {
    const { status, json, text } = await server.ask('POST', path, { cookie: sessions[user], body });
    if (status !== 201) throw new Error(text);
    return json;
  };
  const token = (user: keyof People['users'], scope: string): Promise<Record<string, unknown>> =>
    post(user, '/api/tokens', { name: scope, scope });
  const bearer = async (user: keyof People['users'], scope: string): Promise<Credentials> => ({
    bearer: String((await token(user, scope))['secret']),
  });
  const past = new Date(Date.now() - 1000).toISOString();
  const changed = async (changes: { expiresAt: string } | { lastSeenAt: string }): Promise<Credentials> => {
    const { cookie, key } = await newSession(server, users.admin);
    await store.write([{ query: store.db.updateTable('sessions').set(changes).where('idHash', '=', key) }]);
    return { cookie };
  };
  const [expired, revoked, goneToken] = [
    await token('admin', 'write'),
    await token('admin', 'write'),
    await token('gone', 'write'),
  ];
  const expiring = store.db.updateTable('tokens').set({ expiresAt: past });
  await store.write([{ query: expiring.where('id', '=', String(expired['id'])) }]);
  await server.ask('DELETE', `/api/tokens/${String(revoked['id'])}`, { bearer: adminToken });
  await server.ask('PATCH', `/api/users/${users.gone}`, { bearer: adminToken, body: { disabled: true } });
  const { cookie: signedOut } = await newSession(server, users.admin);
  await server.ask('DELETE', '/api/session', { cookie: signedOut });
  const share = await post('owner', `/api/operations/${report}/shares`, {});
  return {
    anonymous: {},
    'unknown token': { bearer: `wcc_${randomBytes(32).toString('base64url')}` },
    'session of a disabled user': { cookie: sessions.gone },
    'token of a disabled user': { bearer: String(goneToken['secret']) },
    'expired session': await changed({ expiresAt: past }),
    'idle session': await changed({ lastSeenAt: new Date(Date.now() - sessionIdleMs).toISOString() }),
    'signed-out session': { cookie: signedOut },
    'expired token': { bearer: String(expired['secret']) },
    'revoked token': { bearer: String(revoked['secret']) },
    share: { bearer: String(share['secret']) },
    viewer: { cookie: sessions.viewer },
    other: { cookie: sessions.other },
    owner: { cookie: sessions.owner },
    admin: { cookie: sessions.admin },
    'viewer/read': await bearer('viewer', 'read'),
    'owner/read': await bearer('owner', 'read'),
    'owner/write': await bearer('owner', 'write'),
    'owner/publish': await bearer('owner', 'publish'),
    'admin/read': await bearer('admin', 'read'),
    'admin/publish': await bearer('admin', 'publish'),
    'admin token': { bearer: adminToken },
  };
}

/** Reads the body of an error. The body of a success may never end. */
async function askHead(
  { origin, port }: ServerUnderTest,
  { method, path, ...sent }: Probe,
  credentials: Credentials,
): Promise<Pick<Answer, 'status' | 'text'>> {
  const options = { ...sent, ...credentials, headers: { origin, ...sent.headers } };
  const { outgoing, response } = await beginRequest({ method, port, path, options });
  outgoing.on('error', () => {});
  const status = response.statusCode ?? 0;
  const text = status >= 400 ? await readText(response) : '';
  outgoing.destroy();
  return { status, text };
}

/** Makes a hidden file without an operation. @returns its id */
export async function makeOrphan({ server }: Matrix): Promise<string> {
  const id = createOperationId();
  await writeFile(join(server.dataDir, 'images', `.wcc-${id}.partial`), 'x');
  return id;
}

let machines = 0;

/** Makes a machine of the owner without a disk of its own. @returns its id */
export async function makeMachine({ server, credentials }: Matrix): Promise<number> {
  const disks = [{ kind: 'blank', sizeBytes: MiB }];
  const body = { name: `gone-${(machines += 1)}`, cpus: 1, memoryBytes: 32 * MiB, disks };
  const answer = await server.ask('POST', '/api/vms', { ...credentials.owner, body });
  const { operation } = accepted.parse(answer.json);
  await waitUntil('the machine', async () => {
    const { json } = await server.ask('GET', `/api/operations/${operation.id}`, { bearer: adminToken });
    return json['state'] === 'succeeded';
  });
  return Number(operation.subject.id);
}
