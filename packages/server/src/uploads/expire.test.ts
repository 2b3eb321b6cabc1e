import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, tus } from '@wcc/api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makePrincipal, startDomain } from '../images/images.testkit.ts';
import type { DomainUnderTest } from '../images/images.testkit.ts';
import type { Clock } from '../concurrency/clock.ts';
import { createUploads } from './uploads.ts';
import type { Uploads } from './uploads.ts';

/** Real uploads without HTTP routes. Only the wall clock is moved. */
const dayMs = 86_400_000;
const ulla = makePrincipal('ulla');
const otto = makePrincipal('otto');

let domain: DomainUnderTest;
let uploads: Uploads;
let http: Server;
let aheadMs = 0;
const clock: Clock = {
  isoNow: () => new Date(Date.now() + aheadMs).toISOString(),
  monotonicMs: () => performance.now(),
};

beforeEach(async () => {
  aheadMs = 0;
  domain = await startDomain({
    prepare: ({ images }) => {
      const settings = { expiryMs: 7 * dayMs, quotaBytes: 1000, maxPerUser: 3 };
      uploads = createUploads({ images: images.context, settings, clock });
      return Promise.resolve();
    },
  });
  http = createServer((raw, response) => {
    answer(raw).then(
      ({ status, headers }) => response.writeHead(status, headers).end(),
      (error: unknown) =>
        response.writeHead(error instanceof ApiError ? error.status : 500).end(String(error)),
    );
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
});
afterEach(async () => {
  http.closeAllConnections();
  http.close();
  uploads.close();
  await domain.close();
});

/** `POST /NAME`, `PATCH /api/uploads/ID`. */
function answer(raw: IncomingMessage): ReturnType<Uploads['create']> {
  const principal = raw.headers['x-who'] === 'otto' ? otto : ulla;
  const last = (raw.url ?? '').split('/').at(-1) ?? '';
  if (raw.method === 'PATCH') return uploads.patch(last, { raw, principal });
  return uploads.create({ raw, principal, metadata: { filename: last }, idempotencyKey: null });
}

const address = (path: string): string => `http://127.0.0.1:${(http.address() as AddressInfo).port}${path}`;
const base = { 'tus-resumable': tus.version };

async function create(
  name: string,
  sizeBytes: number,
  who = 'ulla',
): Promise<{ id: string; expires: number }> {
  const headers = { ...base, 'upload-length': String(sizeBytes), 'x-who': who };
  const created = await fetch(address(`/${name}`), { method: 'POST', headers });
  if (created.status !== 201) throw new Error(`${created.status} ${await created.text()}`);
  const id = created.headers.get('location')?.split('/').at(-1) ?? '';
  return { id, expires: Date.parse(created.headers.get('upload-expires') ?? '') };
}

const patchHeaders = { ...base, 'content-type': tus.contentType, 'upload-offset': '0' };

async function listed(id: string): Promise<number | null> {
  const { items } = await uploads.list(ulla, 'me');
  const found = items.find((one) => one.id === id);
  return found === undefined ? null : Date.parse(found.expiresAt);
}

/** Moves the clock to this time and removes expired uploads. */
async function expireAt(timeMs: number): Promise<void> {
  aheadMs = timeMs - Date.now();
  await uploads.expire();
}

it('an upload without new bytes expires after seven days, at the announced time, and leaves no files', async () => {
  const startedAt = Date.now();
  const { id, expires } = await create('first.raw', 600);
  const expiresAt = (await listed(id)) ?? 0;
  // The header has whole seconds only.
  expect(Math.floor(expiresAt / 1000) * 1000).toBe(expires);
  expect(expiresAt).toBeGreaterThanOrEqual(startedAt + 7 * dayMs - 1000);
  await expect(create('second.raw', 401)).rejects.toThrow(/Needs 401 B; 600 B of 1000 B are used/);
  await create('second.raw', 400);
  // Each user has a separate quota, and ended uploads do not count.
  await create('other.raw', 1000, 'otto');
  await create('empty.raw', 0);
  await domain.wait(id, 'interrupted');
  await expireAt(expiresAt - 2000);
  expect(await listed(id)).toBe(expiresAt);
  await expireAt(expiresAt + 1000);
  expect(await listed(id)).toBeNull();
  expect((await domain.wait(id, 'failed')).error).toMatchObject({
    code: 'upload_gone',
    message: expect.stringContaining('expired') as string,
  });
  const late = await fetch(address(`/${id}`), { method: 'PATCH', headers: patchHeaders, body: 'x' });
  expect(late.status).toBe(410);
  // The name and the quota are free again.
  await create('first.raw', 600);
});

it('new bytes restart the expiry time, and a running request does not expire', async () => {
  const { id, expires } = await create('used.raw', 100);
  const sending = request(address(`/${id}`), {
    method: 'PATCH',
    headers: { ...patchHeaders, 'content-length': 100 },
  });
  sending.on('error', () => {});
  sending.write('x'.repeat(50));
  // Wait until the bytes are durable: bytes in flight on a broken connection may be lost.
  await expect.poll(async () => (await uploads.get(ulla, id)).offsetBytes).toBe(50);
  expect(await domain.operations.snapshot(id)).toMatchObject({ state: 'running' });
  await expireAt(expires + dayMs);
  expect(await listed(id)).not.toBeNull();
  const closed = new Promise((resolve) => sending.once('close', resolve));
  sending.destroy();
  await closed;
  await domain.wait(id, 'interrupted');
  expect((await uploads.get(ulla, id)).offsetBytes).toBe(50);
  expect(await listed(id)).toBeGreaterThanOrEqual(expires);
});
