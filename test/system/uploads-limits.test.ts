import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MiB } from '../kit/images.ts';
import { findImage, expectNoOrphans, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import { readResponse, createTusClient, uploadId } from '../kit/tus.ts';
import type { TusClient } from '../kit/tus.ts';

/** Expiry, quotas and buffering proxies, in real time. */
let server: TestServer;
let tus: TusClient;
beforeAll(async () => {
  server = await startServer({ args: ['--free-space-floor', '0', '--upload-quota', String(10 * MiB)] });
  tus = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
});
afterAll(() => server.close());

it('the server removes an upload whose time ends after a restart', async () => {
  const days = 3 / 86_400;
  const short = await startServer({ args: ['--free-space-floor', '0', '--upload-expiry', days.toFixed(6)] });
  try {
    const client = createTusClient(short.baseUrl, { authorization: `Bearer ${short.token}` });
    const path = await client.create('expires.raw', MiB);
    const { headers } = await client.patch(path, 0, randomBytes(1000));
    const [listed] = (await short.api.uploads()).items;
    const announcedMs = Date.parse(listed?.expiresAt ?? '');
    expect(Date.parse(String(headers['upload-expires']))).toBe(Math.floor(announcedMs / 1000) * 1000);
    expect((await client.head(path)).headers['upload-expires']).toBe(headers['upload-expires']);
    await short.stop();
    await short.start();
    const { error, endedAt } = await waitForState(short, uploadId(path), { states: ['failed'] });
    expect(error).toMatchObject({
      code: 'upload_gone',
      message: expect.stringContaining('expired') as string,
    });
    expect(Date.parse(endedAt ?? '')).toBeGreaterThanOrEqual(announcedMs);
    expect(await client.head(path)).toMatchObject({ status: 410 });
    await expectNoOrphans(short.poolDir);
    expect((await short.api.pools()).items[0]?.reservedBytes).toBe(0);
    await client.create('expires.raw', MiB);
  } finally {
    await short.close();
  }
});

it('unfinished uploads of a user share one quota; finished ones do not count', async () => {
  const session = await signIn(server, await createUser(server, 'ulla', 'operator'));
  const theirs = createTusClient(server.baseUrl, { ...session.headers, origin: session.origin });
  const first = await theirs.create('a.raw', 6 * MiB);
  const refused = /403.*Needs 5\.0 MiB; 6\.0 MiB of 10\.0 MiB are used.*quota_exceeded/;
  await expect(theirs.create('b.raw', 5 * MiB)).rejects.toThrow(refused);
  // Each user has a separate quota. The end of an upload frees its share.
  const others = await tus.create('c.raw', 10 * MiB);
  expect((await theirs.patch(first, 0, randomBytes(6 * MiB))).status).toBe(204);
  const second = await theirs.create('b.raw', 10 * MiB);
  expect((await theirs.request('DELETE', second)).status).toBe(204);
  await theirs.request('DELETE', await theirs.create('b.raw', 10 * MiB));
  await tus.request('DELETE', others);
  expect(await findImage(server, 'a.raw')).toMatchObject({ state: 'ready', sizeBytes: 6 * MiB });
});

/** A proxy in front of the server that adds a Via header. With `buffers` it buffers bodies like nginx by default. */
async function startProxy(buffers: boolean): Promise<Server> {
  const proxy = createServer((incoming, outgoing) => {
    const send = (body: Buffer | null): void => {
      const { method, url: path, headers } = incoming;
      const named = { ...headers, 'x-forwarded-for': '192.0.2.1', host: new URL(server.baseUrl).host };
      const upstream = request(
        { port: server.port, method, path, headers: named, agent: false },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      if (body === null) incoming.pipe(upstream);
      else upstream.end(body);
    };
    if (!buffers) return send(null);
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => void parts.push(part));
    return void incoming.on('end', () => send(Buffer.concat(parts)));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
}

/** A slow client that sends two requests. @returns the path of the upload, whose last bytes are missing */
async function sendSlowly(client: TusClient, name: string): Promise<string> {
  const path = await client.create(name, 5 * MiB);
  const sending = client.open(path, 0, 4.5 * MiB);
  const answer = readResponse(sending);
  for (let piece = 0; piece < 18; piece += 1) {
    sending.write(randomBytes(MiB / 4));
    await sleep(250);
  }
  sending.end();
  expect(await answer).toMatchObject({ status: 204, offset: 4.5 * MiB });
  return path;
}

it('an upload warns of a proxy that buffers, while bytes arrive, and not of one that streams', async () => {
  const proxies = await Promise.all([startProxy(true), startProxy(false)]);
  const warningsOf = async (path: string): Promise<readonly string[]> =>
    (await server.api.operation(uploadId(path))).warnings;
  try {
    const clients = proxies.map((proxy) => {
      const { port } = proxy.address() as AddressInfo;
      return createTusClient(`http://127.0.0.1:${port}`, { authorization: `Bearer ${server.token}` });
    });
    const names = ['kept.raw', 'through.raw'];
    const paths = await Promise.all(clients.map((client, at) => sendSlowly(client, names[at] ?? '')));
    const [kept = '', through = ''] = paths;
    await until(async () => (await warningsOf(kept)).length > 0, { what: 'the warning' });
    for (const [at, path] of paths.entries()) {
      expect((await server.api.operation(uploadId(path))).endedAt).toBeNull();
      expect(await clients[at]?.patch(path, 4.5 * MiB, randomBytes(MiB / 2))).toMatchObject({ status: 204 });
    }
    expect(await warningsOf(kept)).toEqual(['upload_buffered']);
    expect(await warningsOf(through)).toEqual([]);
    const { items } = await server.api.operationLog(uploadId(kept));
    expect(items.filter(({ text }) => text === 'upload_buffered')).toHaveLength(1);
  } finally {
    for (const proxy of proxies) proxy.close().closeAllConnections();
  }
});
