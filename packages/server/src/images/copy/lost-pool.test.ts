import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

vi.setConfig({ testTimeout: 60_000 });
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('skipped: an aborted file system needs a loop mount, which needs root');

let home: string;
let pool: string;
let domain: DomainUnderTest;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-lost-pool-'));
  pool = join(home, 'pool');
  await mkdir(pool);
});
afterEach(async () => {
  await domain.close();
  await rm(home, { recursive: true });
});

async function startCopying(): Promise<string> {
  await writeRandom(join(pool, 'a.raw'), 16 * MiB);
  await domain.rescan();
  const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 8 * MiB });
  await expect
    .poll(async () => (await domain.operations.snapshot(id))?.bytes?.written ?? 0, { timeout: 20_000 })
    .toBeGreaterThan(4 * MiB);
  return id;
}

const notes = async (id: string): Promise<string> =>
  (await domain.operations.log(id, admin)).map(({ text }) => text).join('\n');

async function expectEqualCopy(): Promise<void> {
  expect(await sha256(join(pool, 'b.raw'))).toBe(await sha256(join(pool, 'a.raw')));
  expect(await domain.litter()).toEqual([]);
}

describe('D4: a pool that is replaced by an empty directory in the middle of a copy', () => {
  beforeEach(async () => {
    domain = await startDomain({ poolDir: pool });
  });
  const detach = async (): Promise<void> => {
    await rename(pool, join(home, 'detached'));
    await mkdir(pool);
  };
  const attach = async (): Promise<void> => {
    expect(await readdir(pool)).toEqual([]);
    await rm(pool, { recursive: true });
    await rename(join(home, 'detached'), pool);
  };

  it('interrupts it when the pool is seen to be gone, and resumes it from its checkpoint', async () => {
    const id = await startCopying();
    await detach();
    await expect(domain.rescan()).rejects.toMatchObject({ code: 'pool_unavailable' });
    expect((await domain.wait(id, 'interrupted')).stateReason?.code).toBe('pool_unavailable');
    await attach();
    await domain.rescan();
    expect((await domain.wait(id, 'succeeded')).error).toBeNull();
    expect(await notes(id)).toMatch(/The copy resumes at [1-9]\d{5,} bytes/);
    await expectEqualCopy();
  });

  it('registers a copy that ended while the pool was away, when it is back', async () => {
    const id = await startCopying();
    // No look at the pool notices that it is gone.
    const refresh = vi.spyOn(domain.pools, 'refresh').mockResolvedValue(false);
    await detach();
    expect((await domain.wait(id, 'interrupted')).stateReason?.code).toBe('pool_unavailable');
    refresh.mockRestore();
    expect(await readdir(join(home, 'detached'))).toContain('b.raw');
    await attach();
    await domain.rescan();
    await domain.wait(id, 'succeeded');
    expect(await domain.image('b.raw')).toMatchObject({ state: 'ready', copiedFrom: 100 });
    await expectEqualCopy();
  });
});

describe.skipIf(!isRoot)('D5: a copy on a disk that reports errors', () => {
  it('pauses, keeps its checkpoint, and resumes when the pool is available again', async () => {
    const disk = join(home, 'disk');
    await writeFile(disk, '');
    await truncate(disk, 96 * MiB);
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', disk]);
    const mount = (): void => void execFileSync('mount', ['-o', 'loop', disk, pool]);
    mount();
    try {
      domain = await startDomain({ poolDir: pool });
      const id = await startCopying();
      await domain.operations.pause(id, admin);
      execFileSync('sync', ['-f', pool]);
      await domain.operations.resume(id, admin);
      await domain.wait(id, 'running');
      execFileSync('mount', ['-o', 'remount,abort', pool]);
      const stopped = await domain.wait(id, 'paused', 'interrupted');
      expect(['io_error', 'read_only', 'pool_unavailable']).toContain(stopped.stateReason?.code);
      execFileSync('umount', ['-l', pool]);
      await expect(domain.rescan()).rejects.toMatchObject({ code: 'pool_unavailable' });
      execFileSync('sh', ['-c', `e2fsck -fy "${disk}" >/dev/null 2>&1 || true`]);
      mount();
      await domain.rescan();
      await domain.wait(id, 'succeeded');
      expect(await notes(id)).toMatch(/The copy resumes at [1-9]\d{5,} bytes/);
      await expectEqualCopy();
    } finally {
      await domain.stop();
      execFileSync('umount', [pool]);
    }
  });
});
