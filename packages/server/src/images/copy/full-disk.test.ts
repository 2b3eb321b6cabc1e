import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { admin, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('skipped: a full disk needs a loop mount, which needs root');

let home: string;
let disk: string;

beforeAll(async () => {
  if (!isRoot) return;
  home = await mkdtemp(join(tmpdir(), 'wcc-full-disk-'));
  disk = join(home, 'mnt');
  await mkdir(disk);
  const file = join(home, 'disk');
  await writeFile(file, '');
  await truncate(file, 64 * MiB);
  execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', file]);
  execFileSync('mount', ['-o', 'loop', file, disk]);
});
afterAll(async () => {
  if (!isRoot) return;
  execFileSync('umount', [disk]);
  await rm(home, { recursive: true });
});

it.skipIf(!isRoot)('a full disk pauses a copy, which resumes when there is space', async () => {
  const poolDir = join(disk, 'pool');
  const domain = await startDomain({ poolDir });
  try {
    await writeRandom(join(poolDir, 'a.raw'), 20 * MiB);
    await domain.rescan();
    const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 10 * MiB });
    await domain.wait(id, 'running');
    // Two copies cannot reserve the same space.
    await expect(domain.copy('a.raw', 'c.raw')).rejects.toMatchObject({
      code: 'no_space',
      message: expect.stringMatching(/^Needs 20\.0 MiB, \d/) as string,
    });
    const filler = join(poolDir, '.filler');
    execFileSync('sh', ['-c', `dd if=/dev/zero of="${filler}" bs=1M 2>/dev/null || true`]);
    const paused = await domain.wait(id, 'paused');
    expect(paused.stateReason).toMatchObject({ code: 'no_space' });
    const { needs, free } = paused.stateReason?.params ?? {};
    expect(Number(needs)).toBeGreaterThan(Number(free));
    await unlink(filler);
    const ended = await domain.wait(id, 'succeeded');
    expect(ended.error).toBeNull();
    expect(await sha256(join(poolDir, 'b.raw'))).toBe(await sha256(join(poolDir, 'a.raw')));
    const log = await domain.operations.log(id, admin);
    expect(log.filter(({ kind }) => kind === 'state').map(({ text }) => text.replace(/:.*/, ''))).toEqual([
      'queued',
      'started',
      'paused',
      'resumed (was paused)',
      'succeeded',
    ]);
    expect(domain.errors).toEqual([]);
  } finally {
    await domain.close();
  }
});

it.skipIf(!isRoot)(
  'D17: a file system without free inodes pauses a copy once, until files are deleted',
  async () => {
    const small = join(home, 'inodes');
    await mkdir(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=40', 'tmpfs', small]);
    const poolDir = join(small, 'pool');
    const domain = await startDomain({ poolDir });
    try {
      await writeRandom(join(poolDir, 'a.raw'), 4 * MiB);
      await domain.rescan();
      const fillers = join(small, 'fillers');
      await mkdir(fillers);
      const fill = async (): Promise<never> => {
        for (let file = 0; ; file += 1) await writeFile(join(fillers, String(file)), '');
      };
      await expect(fill()).rejects.toMatchObject({ code: 'ENOSPC' });
      const { id } = await domain.copy('a.raw', 'b.raw', { method: 'copy' });
      const paused = await domain.wait(id, 'paused');
      expect(paused.stateReason).toEqual({ code: 'no_inodes', params: {} });
      const pausedAtMs = performance.now();
      // wcc looks every three seconds.
      await vi.waitUntil(() => performance.now() > pausedAtMs + 8_000, { timeout: 20_000 });
      await rm(fillers, { recursive: true });
      await domain.wait(id, 'succeeded');
      const log = await domain.operations.log(id, admin);
      expect(log.filter(({ kind }) => kind === 'state').map(({ text }) => text.replace(/:.*/, ''))).toEqual([
        'queued',
        'started',
        'paused',
        'resumed (was paused)',
        'succeeded',
      ]);
    } finally {
      await domain.close();
      execFileSync('umount', [small]);
    }
  },
);

/** A file system that shows more space than its disk has: a thin volume. */
async function mountThin(name: string): Promise<{ below: string; mount: string }> {
  const [below, mount] = [join(home, `${name}-below`), join(home, name)];
  await mkdir(below);
  await mkdir(mount);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', below]);
  const file = join(below, 'disk');
  await writeFile(file, '');
  await truncate(file, 256 * MiB);
  const features = '^has_journal,^metadata_csum,^uninit_bg,^resize_inode';
  execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', '-b', '4096', '-O', features, file]);
  execFileSync('mount', ['-o', 'loop', file, mount]);
  return { below, mount };
}

it.skipIf(!isRoot)(
  'D1: a disk that is full below its file system raises the need, so a copy does not repeat',
  async () => {
    const { below, mount } = await mountThin('thin');
    const poolDir = join(mount, 'pool');
    const fillers = ['a', 'b'].map((name) => join(mount, `filler-${name}`));
    const domain = await startDomain({ poolDir });
    try {
      await writeRandom(join(poolDir, 'a.raw'), 30 * MiB);
      // Allocated in the file system, not on the disk below.
      for (const filler of fillers) execFileSync('fallocate', ['-l', '40M', filler]);
      execFileSync('sync', ['-f', mount]);
      await domain.rescan();
      const { id } = await domain.copy('a.raw', 'b.raw', { method: 'copy' });
      const statesOf = async (): Promise<string[]> =>
        (await domain.operations.log(id, admin))
          .filter(({ kind }) => kind === 'state')
          .map(({ text }) => text.replace(/:.*/, ''));
      const pausedNeeds = async (): Promise<{ needs: number; free: number }> => {
        const { stateReason } = await domain.wait(id, 'paused');
        expect(stateReason?.code).toBe('no_space');
        const { needs, free } = stateReason?.params ?? {};
        return { needs: Number(needs), free: Number(free) };
      };
      const first = await pausedNeeds();
      expect(first.needs).toBeGreaterThan(first.free);
      const pausedAtMs = performance.now();
      // wcc looks every three seconds.
      await vi.waitUntil(() => performance.now() > pausedAtMs + 8_000, { timeout: 20_000 });
      expect(await statesOf()).toEqual(['queued', 'started', 'paused']);
      // More free space is a reason to try again, once.
      await unlink(fillers[0] ?? '');
      await vi.waitUntil(async () => (await statesOf()).length === 5, { timeout: 30_000 });
      const second = await pausedNeeds();
      expect(second.needs).toBeGreaterThan(first.needs);
      expect(second.needs).toBeGreaterThan(second.free);
      execFileSync('mount', ['-o', 'remount,size=200m', below]);
      await unlink(fillers[1] ?? '');
      await domain.wait(id, 'succeeded');
      expect((await statesOf()).slice(3)).toEqual([
        'resumed (was paused)',
        'paused',
        'resumed (was paused)',
        'succeeded',
      ]);
      expect(await sha256(join(poolDir, 'b.raw'))).toBe(await sha256(join(poolDir, 'a.raw')));
    } finally {
      await domain.close();
      execFileSync('umount', [mount]);
      execFileSync('umount', [below]);
    }
  },
);
