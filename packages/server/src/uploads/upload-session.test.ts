import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { ClientRequest, IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CopyError } from '@wcc/copy';
import { create as createPartial } from '@wcc/copy/receive';
import type { PartialFile } from '@wcc/copy/receive';
import { readCheckpoint } from '@wcc/copy/recovery';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makePrincipal } from '../images/images.testkit.ts';
import type { WorkResult } from '../operations/work.ts';
import type { UploadRequest } from './receive-request.ts';
import { UploadSession } from './upload-session.ts';
import type { UploadSessionOptions } from './upload-session.ts';

const sizeBytes = 100;
const id = 'upload-1';
const result: WorkResult = { bytes: null, method: null, warnings: [], phases: [] };

const closeAndFinish: UploadSessionOptions['finish'] = async (file) => {
  await file.close();
  return result;
};

let directory: string;
let server: Server;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-session-'));
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

async function openSession(
  finish: UploadSessionOptions['finish'],
  prepare: (file: PartialFile) => PartialFile = (file) => file,
): Promise<UploadSession> {
  const target = { directory, id, tag: null, targetName: 'disk.raw', sizeBytes };
  const input = {
    poolId: 'pool-1',
    targetId: 100,
    targetName: 'disk.raw',
    sizeBytes,
    ownerId: 'ulla',
    sha256: null,
    format: null,
    lastModified: null,
    metadata: '',
  };
  return new UploadSession({
    head: { take: () => null },
    input,
    scratch: {
      digest: null,
      inspected: null,
      warnings: new Set(),
      announcedMs: null,
      answeredAtMs: 0,
      quietSinceMs: 0,
      isPromised: true,
    },
    file: prepare(await createPartial(target)),
    limit: (work) => work(),
    hooks: { onPhase: () => {}, onWarning: () => {} },
    finish,
  });
}

/** Sends the beginning of a request. Returns the client's and the server's request. */
async function send(body: string): Promise<{ client: ClientRequest; incoming: UploadRequest }> {
  const { port } = server.address() as AddressInfo;
  const client = request({ port, method: 'PATCH', headers: { 'content-length': sizeBytes } });
  client.on('error', () => {});
  client.write(body);
  const [raw] = (await once(server, 'request')) as [IncomingMessage];
  const principal = makePrincipal('ulla');
  const { signal } = new AbortController();
  return { client, incoming: { request: raw, principal, signal, checksum: null, inactivityMs: 10_000 } };
}

const recordedBytes = async (): Promise<number> => Number((await readCheckpoint(directory, id))?.offset);

it('a session refuses a second request while one is sending', async () => {
  const session = await openSession(closeAndFinish);
  const first = await send('x'.repeat(40));
  const received = session.receive(first.incoming);
  const second = await send('y'.repeat(40));
  await expect(session.receive(second.incoming)).rejects.toMatchObject({ code: 'upload_locked' });
  first.client.end('x'.repeat(60));
  await received;
  expect(await session.done).toBe(result);
  expect(await recordedBytes()).toBe(sizeBytes);
});

it('a session finishes and ends once all bytes are durable', async () => {
  const finish = vi.fn<UploadSessionOptions['finish']>(async (file) => {
    expect(await recordedBytes()).toBe(sizeBytes);
    await file.close();
    return result;
  });
  const session = await openSession(finish);
  const { client, incoming } = await send('x'.repeat(40));
  client.end('x'.repeat(60));
  await session.receive(incoming);
  expect(session).toMatchObject({ isComplete: true, durableBytes: sizeBytes });
  expect(await session.done).toBe(result);
  expect(finish).toHaveBeenCalledTimes(1);
  expect(session.isOver).toBe(true);
  await expect(session.receive(incoming)).rejects.toMatchObject({ code: 'upload_locked' });
  session.cancel();
  expect(await session.done).toBe(result);
});

it('an interrupted session ends and keeps the received bytes', async () => {
  const session = await openSession(closeAndFinish);
  const { incoming } = await send('x'.repeat(40));
  const received = session.receive(incoming);
  await expect.poll(() => session.takenBytes).toBe(40);
  session.interrupt();
  await expect(received).rejects.toMatchObject({ code: 'shutting_down' });
  await expect(session.done).rejects.toMatchObject({ code: 'interrupted' });
  expect(session).toMatchObject({ isOver: true, sender: null });
  expect(await recordedBytes()).toBe(40);
});

const errnoError = (code: string): Error => Object.assign(new Error(`${code}: a call`), { code });

it.each([
  ['write', 'EIO', 'io_error'],
  ['sync', 'ESTALE', 'io_error'],
  ['sync', 'EROFS', 'read_only'],
  ['record', 'EMFILE', 'resources'],
  ['record', 'ENOENT', 'pool_unavailable'],
] as const)(
  'D5: a %s that fails with %s interrupts a session, which keeps the bytes that are durable',
  async (step, errno, code) => {
    const session = await openSession(closeAndFinish, (file) => {
      const fail = (): Promise<never> => Promise.reject(errnoError(errno));
      if (step === 'write') vi.spyOn(file.handle, 'writev').mockImplementation(fail);
      if (step === 'sync') vi.spyOn(file.handle, 'datasync').mockImplementation(fail);
      if (step !== 'record') return file;
      const missing = new CopyError('not_found', { path: 'disk.raw' });
      const error = errno === 'ENOENT' ? missing : errnoError(errno);
      return { ...file, record: () => Promise.reject(error) };
    });
    const { client, incoming } = await send('x'.repeat(40));
    client.end('x'.repeat(60));
    const ended = session.done.catch((error: unknown) => error);
    await expect(session.receive(incoming)).rejects.toMatchObject({ code });
    expect(await ended).toMatchObject({ code: 'interrupted', error: { code } });
    expect(await recordedBytes()).toBe(0);
  },
);

it('D5: a session that cannot publish its complete file for now pauses', async () => {
  const session = await openSession(() => Promise.reject(new CopyError('io_error')));
  const { client, incoming } = await send('x'.repeat(40));
  client.end('x'.repeat(60));
  await session.receive(incoming);
  await expect(session.done).rejects.toMatchObject({ code: 'paused', error: { code: 'io_error' } });
  expect(await recordedBytes()).toBe(sizeBytes);
});

it('cancelling a session that is finishing aborts its work and ends it', async () => {
  const session = await openSession(
    (_file, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  );
  const { client, incoming } = await send('x'.repeat(40));
  client.end('x'.repeat(60));
  await session.receive(incoming);
  expect(session.isOver).toBe(false);
  session.cancel();
  await expect(session.done).rejects.toMatchObject({ code: 'cancelled' });
  expect(session.isOver).toBe(true);
});

it('a session accepts the next request after its client disconnected', async () => {
  const session = await openSession(closeAndFinish);
  const first = await send('x'.repeat(40));
  const received = session.receive(first.incoming);
  await expect.poll(() => session.takenBytes).toBe(40);
  first.client.destroy();
  await expect(received).rejects.toMatchObject({ code: 'upload_locked' });
  expect(session.durableBytes).toBe(40);
  const second = await send('x'.repeat(20));
  second.client.end('x'.repeat(80));
  await expect(session.receive(second.incoming)).rejects.toMatchObject({ code: 'payload_too_large' });
  expect(session.durableBytes).toBe(40);
  session.cancel();
  await expect(session.done).rejects.toMatchObject({ code: 'cancelled' });
});
