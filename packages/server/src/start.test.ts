import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { adminToken, password, startTestServer } from './http/server.testkit.ts';
import { readInstallationId } from './storage/installation.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-start-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('a failed start releases lock, database and port for the next start', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const dataDir = join(directory, 'data');
  const failing = startTestServer({ dataDir, port });
  await expect(failing).rejects.toMatchObject({ code: 'port_in_use' });
  other.close();
  await once(other, 'close');
  const server = await startTestServer({ dataDir, port });
  expect(server.port).toBe(port);
  await server.close();
});

/** A port that no program uses now. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Repeats an attempt until the port is bound. */
async function whenBound<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    const result = await attempt().catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 'ECONNREFUSED') return null;
      throw error;
    });
    if (result !== null) return result;
  }
}

it('the server holds requests and upgrades while it starts, and answers them when it is ready', async () => {
  const port = await freePort();
  let isReady = false;
  const starting = startTestServer({ dataDir: join(directory, 'data'), port }).then((server) => {
    isReady = true;
    return server;
  });
  const request = whenBound(async () => {
    const outgoing = get({ host: '127.0.0.1', port, path: '/api/health', agent: false });
    outgoing.once('socket', (socket) => socket.once('connect', () => expect(isReady).toBe(false)));
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  });
  const upgrade = whenBound(async () => {
    const headers = { authorization: `Bearer ${adminToken}` };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/ws`, 'wcc.v1', { headers });
    await once(socket, 'open');
    socket.terminate();
    return socket.protocol;
  });
  expect(await Promise.all([request, upgrade])).toEqual([200, 'wcc.v1']);
  await (await starting).close();
});

it('a failed start closes the connections of held requests', async () => {
  const dataDir = join(directory, 'data');
  await mkdir(dataDir);
  const database = new Libsql(join(dataDir, 'wcc.sqlite'));
  database.exec('pragma user_version = 77');
  database.close();
  const port = await freePort();
  const starting = startTestServer({ dataDir, port });
  const request = whenBound(async () => {
    await once(get({ host: '127.0.0.1', port, path: '/api/health', agent: false }), 'response');
  });
  await Promise.all([
    expect(starting).rejects.toMatchObject({ code: 'database_unusable' }),
    expect(request).rejects.toMatchObject({ code: 'ECONNRESET' }),
  ]);
});

it('the id of the installation stays the same after a restart', async () => {
  const dataDir = join(directory, 'data');
  const first = await startTestServer({ dataDir });
  const name = await readInstallationId(first.running.store);
  await first.running.stop();
  const second = await startTestServer({ dataDir });
  expect(await readInstallationId(second.running.store)).toBe(name);
  await second.close();
});

it('a start refuses a pool that is a file, before it creates anything', async () => {
  const path = join(directory, 'pool');
  await writeFile(path, 'mine');
  const dataDir = join(directory, 'data');
  const starting = startTestServer({ dataDir, pool: { path, origin: 'named' } });
  await expect(starting).rejects.toMatchObject({ code: 'pool_unwritable' });
  expect(await readdir(dataDir)).toEqual([]);
});

it('a start refuses an address of another host', async () => {
  const proxied = { host: '192.0.2.1', behindTlsProxy: true, publicUrl: 'https://wcc.example.org' };
  const starting = startTestServer({ dataDir: join(directory, 'data'), ...proxied });
  await expect(starting).rejects.toMatchObject({ code: 'address_unavailable' });
});

it('a start refuses a data directory in use and does not disturb the other server', async () => {
  const first = await startTestServer();
  const second = startTestServer({ dataDir: first.dataDir });
  await expect(second).rejects.toMatchObject({ code: 'data_dir_in_use' });
  expect((await first.ask('GET', '/api/health')).status).toBe(200);
  await first.close();
});

it('a start refuses the database of a newer wcc and does not change it', async () => {
  const dataDir = join(directory, 'data');
  await mkdir(dataDir);
  const database = new Libsql(join(dataDir, 'wcc.sqlite'));
  database.exec('pragma user_version = 77');
  const starting = startTestServer({ dataDir });
  await expect(starting).rejects.toMatchObject({
    code: 'database_unusable',
    message: expect.stringMatching(/schema 77.*newer/s) as string,
  });
  expect(database.pragma('user_version')).toEqual([{ user_version: 77 }]);
  database.close();
});

it('each start creates a new one-time link until an administrator exists', async () => {
  const dataDir = join(directory, 'data');
  const secretOf = async (): Promise<string> =>
    (await readFile(join(dataDir, 'initial-admin-link'), 'utf8')).split('#')[1] ?? '';
  const first = await startTestServer({ dataDir });
  const old = (await secretOf()).trim();
  await first.running.stop();
  const second = await startTestServer({ dataDir });
  expect(await secretOf()).not.toContain(old);
  const body = { secret: old, password };
  expect((await second.ask('POST', '/api/first-sign-in', { body })).json['code']).toBe('link_used');
  await second.addUser('boss', 'admin');
  const cookie = await second.signIn('boss');
  await second.running.stop();
  // The browser keeps a session for one port.
  const third = await startTestServer({ dataDir, port: second.port });
  expect(third.running.firstSignIn).toBeNull();
  await expect(secretOf()).rejects.toThrow(/ENOENT/);
  // The session survives the restart.
  expect((await third.ask('GET', '/api/session', { cookie })).status).toBe(200);
  await third.close();
});
