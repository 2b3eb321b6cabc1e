import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
