import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ApiError, tus } from '@wcc/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePrincipal, startDomain } from '../images/images.testkit.ts';
import type { DomainUnderTest } from '../images/images.testkit.ts';
import { createUploads } from './uploads.ts';
import type { Uploads } from './uploads.ts';

const principal = makePrincipal('ulla');
const half = 'x'.repeat(300_000);

describe('D4: a pool that is replaced by an empty directory in the middle of an upload', () => {
  let domain: DomainUnderTest;
  let uploads: Uploads;
  let http: Server;

  beforeEach(async () => {
    domain = await startDomain({
      prepare: ({ images }) => {
        const settings = { expiryMs: 86_400_000, quota: { bytes: 1024 ** 2 }, maxPerUser: 3 };
        uploads = createUploads({ images: images.context, settings });
        return Promise.resolve();
      },
    });
    http = createServer((raw, response) => {
      const { signal } = new AbortController();
      const last = raw.url?.slice(1) ?? '';
      const metadata = { filename: last };
      const answer =
        raw.method === 'PATCH'
          ? uploads.patch(last, { raw, principal, signal })
          : uploads.create({ raw, principal, signal, metadata, idempotencyKey: null });
      answer.then(
        ({ status, headers }) => response.writeHead(status, headers).end(),
        (error: unknown) => response.writeHead(error instanceof ApiError ? error.status : 500).end(),
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

  const base = { 'tus-resumable': tus.version };
  const address = (path: string): string =>
    `http://127.0.0.1:${(http.address() as AddressInfo).port}/${path}`;
  const patch = (id: string, offset: number, body: string): Promise<Response> => {
    const headers = { ...base, 'content-type': tus.contentType, 'upload-offset': String(offset) };
    return fetch(address(id), { method: 'PATCH', headers, body });
  };
  const detached = (): string => join(domain.home, 'detached');
  const detach = async (): Promise<void> => {
    await rename(domain.poolDir, detached());
    await mkdir(domain.poolDir);
  };
  const attach = async (): Promise<void> => {
    expect(await readdir(domain.poolDir)).toEqual([]);
    await rm(domain.poolDir, { recursive: true });
    await rename(detached(), domain.poolDir);
    await domain.rescan();
  };
  async function startUpload(): Promise<string> {
    const created = await fetch(address('a.raw'), {
      method: 'POST',
      headers: { ...base, 'upload-length': String(2 * half.length) },
    });
    const id = created.headers.get('location')?.split('/').at(-1) ?? '';
    expect((await patch(id, 0, half)).status).toBe(204);
    return id;
  }

  it('keeps all received bytes, and the client resumes when the pool is back', async () => {
    const id = await startUpload();
    await detach();
    const refused = await patch(id, half.length, half);
    expect(refused.status).toBe(503);
    await domain.wait(id, 'interrupted');
    await attach();
    expect((await uploads.get(principal, id)).offsetBytes).toBeGreaterThanOrEqual(half.length);
    const { offsetBytes } = await uploads.get(principal, id);
    if (offsetBytes < 2 * half.length)
      expect((await patch(id, offsetBytes, half.slice(offsetBytes - half.length))).status).toBe(204);
    await domain.wait(id, 'succeeded');
    expect(await readFile(join(domain.poolDir, 'a.raw'), 'utf8')).toBe(half + half);
    expect(await domain.litter()).toEqual([]);
  });

  it('publishes a file whose last bytes arrived while the pool was away, when it is back', async () => {
    const id = await startUpload();
    const sending = patch(id, half.length, half);
    await detach();
    await sending;
    const { state } = (await domain.operations.snapshot(id)) ?? {};
    expect(['running', 'interrupted', 'succeeded']).toContain(state);
    await domain.wait(id, 'interrupted', 'succeeded');
    await attach();
    const { offsetBytes } = await uploads.get(principal, id).catch(() => ({ offsetBytes: 2 * half.length }));
    if (offsetBytes < 2 * half.length)
      expect((await patch(id, offsetBytes, half.slice(offsetBytes - half.length))).status).toBe(204);
    await domain.wait(id, 'succeeded');
    expect(await readFile(join(domain.poolDir, 'a.raw'), 'utf8')).toBe(half + half);
    expect(await domain.image('a.raw')).toMatchObject({ state: 'ready' });
  });
});
