import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CopyError, freeSpace, kernelSupport, listRemains, lockFile } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { kib, useDirectory } from '../testkit/files.testkit.ts';

const { available, why } = kernelSupport();
if (!available) console.warn(`locks skipped: ${why}`);

describe.skipIf(!available)('lockFile', () => {
  const dir = useDirectory();

  it('refuses a second lock until the first is released', () => {
    const path = join(dir(), 'lock');
    const lock = lockFile(path);
    expect(() => lockFile(path)).toThrow(CopyError);
    lock.release();
    lock.release();
    lockFile(path).release();
  });

  it('releases the lock when its process is killed', async () => {
    const path = join(dir(), 'held');
    const child = startChild(`
      copy.lockFile(${JSON.stringify(path)});
      console.log('locked');
      setInterval(() => {}, 1000);`);
    await child.firstOutput;
    expect(() => lockFile(path)).toThrow(expect.objectContaining({ code: 'locked', path }));
    child.process.kill('SIGKILL');
    await child.ended;
    lockFile(path).release();
  });

  it('rejects a directory and a missing parent directory', () => {
    mkdirSync(join(dir(), 'sub'));
    expect(() => lockFile(join(dir(), 'sub'))).toThrow(expect.objectContaining({ code: 'not_regular' }));
    expect(() => lockFile(join(dir(), 'no', 'lock'))).toThrow(expect.objectContaining({ code: 'not_found' }));
  });
});

describe('freeSpace', () => {
  const dir = useDirectory();

  it('returns the free space, and the same blockDevice for paths of one file system', async () => {
    mkdirSync(join(dir(), 'deeper'));
    const [here, deeper, proc] = await Promise.all([
      freeSpace(dir()),
      freeSpace(join(dir(), 'deeper')),
      freeSpace('/proc'),
    ]);
    expect(here.freeBytes).toBeGreaterThan(0);
    expect(here.totalBytes).toBeGreaterThanOrEqual(here.freeBytes);
    expect(deeper.blockDevice).toBe(here.blockDevice);
    expect(proc).toMatchObject({ fsType: 'proc' });
    expect(proc.blockDevice).not.toBe(here.blockDevice);
    await expect(freeSpace(join(dir(), 'missing'))).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('listRemains', () => {
  const dir = useDirectory();

  it('lists the hidden files of copies and no others', async () => {
    for (const name of [
      '.wcc-a.partial',
      '.wcc-a.json',
      '.wcc-b.json.tmp',
      '.wcc-.partial',
      '.wcc-c.other',
      'x.partial',
    ]) {
      writeFileSync(join(dir(), name), Buffer.alloc(8 * kib, 1));
    }
    const partials = (await listRemains(dir())).toSorted((a, b) => a.id.localeCompare(b.id));
    const { blocks } = statSync(join(dir(), '.wcc-a.partial'));
    expect(partials).toMatchObject([
      { id: 'a', partialBytes: blocks * 512, hasSidecar: true },
      { id: 'b', partialBytes: 0, hasSidecar: false },
    ]);
    expect(Date.now() - (partials[0]?.modifiedMs ?? 0)).toBeLessThan(60_000);
  });
});
