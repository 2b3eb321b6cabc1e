import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, MiB } from '../images/images.testkit.ts';
import { UploadsUnderTest } from './uploads.testkit.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('skipped: SM7 needs a small file system, which needs root');

const minuteMs = 60_000;
let small: string;
let test: UploadsUnderTest;

describe.skipIf(!isRoot)('SM7: a pool of 64 MiB', () => {
  beforeEach(async () => {
    small = await mkdtemp(join(tmpdir(), 'wcc-promise-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', small]);
    test = await UploadsUnderTest.start({ poolDir: join(small, 'pool'), quota: { freeFraction: 0.5 } });
  });
  afterEach(async () => {
    await test.close();
    execFileSync('umount', [small]);
    await rm(small, { recursive: true });
  });

  const reservedBytes = async (): Promise<number> =>
    (await test.domain.images.pools(admin)).items[0]?.reservedBytes ?? 0;

  it('SM7: one user cannot reserve more than half of the free space, however many uploads', async () => {
    await expect(test.create('all.raw', 40 * MiB)).rejects.toThrow(
      /403.*Needs 40\.0 MiB; 0 B of 3\d\.\d MiB/,
    );
    // More than there is: no quota would help.
    await expect(test.create('all.raw', 70 * MiB)).rejects.toThrow(/507.*Needs 70\.0 MiB, 6\d\.\d MiB free/);
    const first = await test.create('a.raw', 20 * MiB);
    await expect(test.create('b.raw', 20 * MiB)).rejects.toThrow(/Needs 20\.0 MiB; 20\.0 MiB of 3\d\.\d MiB/);
    // Written bytes count as bytes of this user, not as bytes that are no longer free.
    expect((await test.patch(first.id, Buffer.alloc(16 * MiB, 1))).status).toBe(204);
    await test.create('b.raw', 11 * MiB);
    await test.create('c.raw', 10 * MiB, 'otto');
    await expect(test.create('d.raw', 10 * MiB, 'otto')).rejects.toThrow(/403/);
    // An administrator can change the quota, so it does not bind one.
    await test.create('e.raw', 20 * MiB, 'root');
  });

  it('SM7: a paused upload without bytes releases its space too', async () => {
    const { id } = await test.create('a.raw', 30 * MiB);
    await test.domain.operations.pause(id, admin);
    await test.domain.wait(id, 'paused');
    // The work of its creation ends when the client was silent for five seconds.
    const isReleased = async (): Promise<boolean> => {
      await test.pass(11 * minuteMs);
      return (await reservedBytes()) === 0;
    };
    await vi.waitUntil(isReleased, { timeout: 20_000, interval: 200 });
    expect(await test.domain.operations.snapshot(id)).toMatchObject({ state: 'paused' });
  });

  it('SM7: an upload without a request for ten minutes releases its space, and continues when there is space', async () => {
    const { id } = await test.create('a.raw', 30 * MiB);
    expect((await test.patch(id, Buffer.alloc(MiB, 1))).status).toBe(204);
    await test.domain.wait(id, 'interrupted');
    await test.pass(9 * minuteMs);
    expect(await reservedBytes()).toBe(29 * MiB);
    await test.pass(2 * minuteMs);
    expect(await reservedBytes()).toBe(0);
    const other = await test.create('b.raw', 50 * MiB, 'root');
    // A restart forgets what was released.
    await test.restart();
    expect((await test.patch(id, Buffer.alloc(MiB, 1), MiB)).status).toBe(507);
    const { stateReason } = await test.domain.wait(id, 'paused');
    expect(stateReason).toMatchObject({ code: 'no_space', params: { needs: 29 * MiB } });
    await test.domain.operations.cancel(other.id, admin);
    await test.domain.wait(id, 'running', 'interrupted');
    expect((await test.patch(id, Buffer.alloc(MiB, 1), MiB)).status).toBe(204);
    expect(await reservedBytes()).toBe(28 * MiB);
    expect((await test.patch(id, Buffer.alloc(28 * MiB, 1), 2 * MiB)).status).toBe(204);
    await test.domain.wait(id, 'succeeded');
  });

  it('SM7: an upload that is found again while there is no space keeps its bytes', async () => {
    test.sha256 = 'a'.repeat(64);
    const { id } = await test.create('a.raw', 30 * MiB);
    expect((await test.patch(id, Buffer.alloc(MiB, 1))).status).toBe(204);
    await test.domain.wait(id, 'interrupted');
    await test.pass(11 * minuteMs);
    const other = await test.create('b.raw', 50 * MiB, 'root');
    await expect(test.create('a.raw', 30 * MiB)).rejects.toThrow(/507/);
    expect(await test.domain.wait(id, 'paused')).toMatchObject({ stateReason: { code: 'no_space' } });
    await test.domain.operations.cancel(other.id, admin);
    await test.domain.wait(id, 'running', 'interrupted');
    expect((await test.patch(id, Buffer.alloc(MiB, 1), MiB)).status).toBe(204);
  });

  it('SM7: a creation without space ends no earlier upload of its name', async () => {
    const { id } = await test.create('a.raw', 20 * MiB, 'root');
    await test.domain.wait(id, 'interrupted');
    await expect(test.create('a.raw', 70 * MiB, 'root')).rejects.toThrow(/507/);
    expect(await test.domain.operations.snapshot(id)).toMatchObject({ state: 'interrupted' });
    // The space of the earlier upload counts for its successor.
    await test.create('a.raw', 50 * MiB, 'root');
    expect(await test.domain.operations.snapshot(id)).toMatchObject({ state: 'cancelled' });
  });
});
