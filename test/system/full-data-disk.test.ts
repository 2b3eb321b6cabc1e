import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { fillToTheLastByte, loopMountSkipReason, withLoopFileSystem } from '../kit/loop-mount.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { CookieSession, TestUser } from '../kit/session.ts';

const refusal = loopMountSkipReason();
if (refusal !== null) console.log(`Skipped, full disk of the database: ${refusal}.`);

interface Site {
  server: TestServer;
  mountPoint: string;
  ballast: string;
  root: TestUser;
  worker: TestUser;
  /** A session of `root`, from before the disk was full. */
  early: CookieSession;
  tokenId: string;
  /** Copies that run slowly. */
  running: string[];
  images: number[];
  vmId: number;
}

/** A server with database and pool on one small disk, and everything on it that the way out needs. */
async function onSmallDisk(use: (site: Site) => Promise<void>): Promise<void> {
  await withLoopFileSystem('ext4', 192 * MiB, async (mountPoint) => {
    const server = await startServer({
      dataDir: join(mountPoint, 'data'),
      poolDir: join(mountPoint, 'pool'),
      args: ['--free-space-floor', '0', '--hypervisor', 'qemu'],
    });
    try {
      await use(await prepare(server, mountPoint));
    } finally {
      await server.close();
    }
  });
}

async function prepare(server: TestServer, mountPoint: string): Promise<Site> {
  const { api, poolDir } = server;
  const names = ['a.raw', 'b.raw', 'c.raw'];
  for (const name of names) await makeRandomImage(join(poolDir, name), 4 * MiB);
  const images: number[] = [];
  for (const name of names) images.push((await registerImage(server, name)).id);
  const root = await createUser(server, 'root1', 'admin');
  const worker = await createUser(server, 'worker', 'operator');
  const { operation } = await api.createVm({
    name: 'guest',
    cpus: 1,
    memoryBytes: 64 * MiB,
    disks: [{ kind: 'blank', sizeBytes: MiB, format: 'raw' }],
    start: false,
  });
  const vm = await waitForState(server, operation.id, { states: ['succeeded'] });
  const early = await signIn(server, root);
  const token = await early.request('POST', '/api/tokens', { body: { name: 'spare', scope: 'read' } });
  const { id: tokenId } = JSON.parse(token.text) as { id: string };
  const running: string[] = [];
  for (const name of ['x.raw', 'y.raw']) {
    const copy = await api.copyImage(images[0]!, { name, method: 'copy', bytesPerSecond: 65_536 });
    await waitForState(server, copy.operation.id, { states: ['running'] });
    running.push(copy.operation.id);
  }
  const ballast = join(server.dataDir, 'wcc.ballast');
  return {
    server,
    mountPoint,
    ballast,
    root,
    worker,
    early,
    tokenId,
    running,
    images,
    vmId: Number(vm.result?.id),
  };
}

/** Everything that ends access, stops work or deletes. Each step must succeed. */
async function takeTheWayOut(site: Site): Promise<void> {
  const { server, root, worker, early, running, images, vmId, tokenId } = site;
  const { api } = server;
  const session = await signIn(server, root);
  expect((await early.request('DELETE', '/api/session')).status).toBe(204);
  expect((await early.request('GET', '/api/session')).status).toBe(401);
  const disabled = await session.request('PATCH', `/api/users/${worker.id}`, { body: { disabled: true } });
  expect([disabled.status, disabled.text]).toEqual([200, expect.stringContaining('"disabled":true')]);
  expect((await session.request('DELETE', `/api/tokens/${tokenId}`)).status).toBe(204);
  expect((await api.pause(running[0]!)).operation.state).toBe('paused');
  await api.cancel(running[1]!);
  await waitForState(server, running[1]!, { states: ['cancelled'] });
  const deletion = await api.deleteVm(vmId, { disks: true });
  await waitForState(server, deletion.operation.id, { states: ['succeeded'] });
  const image = await api.deleteImage(images[2]!);
  await waitForState(server, image.operation.id, { states: ['succeeded'] });
}

/** What a page of the console reads by POST: its events without a WebSocket, and a download. */
async function readByPost({ server, early, images: [image] }: Site): Promise<number[]> {
  const feed = new AbortController();
  const events = await fetch(`${server.baseUrl}/api/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify([{ t: 'sub', id: 1, list: 'mine' }]),
    signal: feed.signal,
  });
  feed.abort();
  const wanted = { purpose: 'download', target: String(image) };
  const { ticket } = (await early.request('POST', '/api/ws-tickets', { body: wanted })).json();
  const download = await rawRequest(`${server.baseUrl}/api/images/${image}/download`, {
    method: 'POST',
    headers: {
      cookie: early.cookie,
      origin: early.origin,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `ticket=${String(ticket)}`,
  });
  return [events.status, download.status];
}

async function healthOf({ server }: Site): Promise<{ status: number; codes: string[] }> {
  const answer = await fetch(`${server.baseUrl}/api/health`);
  const body = (await answer.json()) as { status: string; reasons?: { code: string }[] };
  return { status: answer.status, codes: [body.status, ...(body.reasons ?? []).map(({ code }) => code)] };
}

/** Another program that takes every byte as soon as it is free, like a guest with a large thin disk. */
const hungry = `
  const fs = require('node:fs');
  const file = fs.openSync(process.argv[1], 'a');
  const part = Buffer.alloc(65536, 1);
  const eat = () => { try { for (;;) fs.writeSync(file, part); } catch {} };
  eat();
  console.log('full');
  setInterval(eat, 1);
`;

describe.skipIf(refusal !== null)('SH2, D8: a full disk of the database', () => {
  it('SH2: the ballast pays for the way out while another program takes every free byte', async () => {
    expect.hasAssertions();
    await onSmallDisk(async (site) => {
      expect(await healthOf(site)).toEqual({ status: 200, codes: ['ok'] });
      const { size, blocks } = statSync(site.ballast);
      expect(size).toBeGreaterThanOrEqual(8 * MiB);
      expect(blocks * 512).toBeGreaterThanOrEqual(size);
      const eater = spawn(process.execPath, ['-e', hungry, join(site.mountPoint, 'junk')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(eater.stdout, 'data');
      try {
        await takeTheWayOut(site);
      } finally {
        eater.kill('SIGKILL');
      }
      expect(statSync(site.ballast).size).toBeLessThan(size);
      truncateSync(join(site.mountPoint, 'junk'));
      await until(async () => (await healthOf(site)).codes[0] === 'ok', {
        what: 'the ballast to be whole again',
      });
      expect(statSync(site.ballast).size).toBe(size);
    });
  });

  it('D8: without ballast and without a free byte, only the way out is open, and health says so', async () => {
    expect.hasAssertions();
    await onSmallDisk(async (site) => {
      const { server } = site;
      truncateSync(site.ballast);
      const giveBack = fillToTheLastByte(site.mountPoint);
      // The log of the database has room for some changes.
      const isFull = async (): Promise<boolean> => {
        await signIn(server, site.root);
        return (await healthOf(site)).status === 503;
      };
      await until(isFull, { what: 'a change that finds no space', everyMs: 1 });
      expect((await healthOf(site)).codes).toEqual(['degraded', 'database_full', 'data_disk_low']);
      await expect(
        server.api.createUser({ name: 'late', role: 'viewer', password: 'x'.repeat(20) }),
      ).rejects.toMatchObject({ status: 503, code: 'database_full' });
      expect(await readByPost(site)).toEqual([200, 200]);
      const cancelled = await server.api.cancel(site.running[1]!);
      await waitForState(server, cancelled.operation.id, { states: ['cancelled'] });
      giveBack();
      await until(async () => (await healthOf(site)).codes[0] === 'ok', {
        what: 'the changes to be durable',
      });
      await createUser(server, 'late', 'viewer');
    });
  });

  it('D8: a stopped server starts on a disk without a free byte and without ballast, in a state that can delete', async () => {
    expect.hasAssertions();
    await onSmallDisk(async (site) => {
      const { server } = site;
      await server.stop();
      truncateSync(site.ballast);
      const giveBack = fillToTheLastByte(site.mountPoint);
      server.spawn();
      await until(() => healthOf(site).catch(() => null), { what: 'an answer' });
      for (const id of site.running) await waitForState(server, id, { states: ['running', 'paused'] });
      await takeTheWayOut(site);
      giveBack();
      await until(async () => (await healthOf(site)).codes[0] === 'ok', {
        what: 'the changes to be durable',
      });
      await server.kill();
      await server.start();
      await expectWayTaken(site);
    });
  });
});

async function expectWayTaken({ server, worker, running, images, vmId }: Site): Promise<void> {
  const users = (await server.api.users()).items;
  expect(users.find(({ id }) => id === worker.id)?.disabled).toBe(true);
  expect((await server.api.operation(running[1]!)).state).toBe('cancelled');
  expect((await server.api.images()).items.map(({ id }) => id)).not.toContain(images[2]);
  await expect(server.api.vm(vmId)).rejects.toMatchObject({ status: 404 });
}
