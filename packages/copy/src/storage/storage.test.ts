import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CopyError, freeSpace, isOpenElsewhere, lockFile, support } from '@wcc/copy';
import { renameExclusively } from '@wcc/copy/receive';
import * as recovery from '@wcc/copy/recovery';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { kib, useDirectory } from '../testkit/files.testkit.ts';

const { available, why } = support();
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
    expect(here.freeInodes ?? 1).toBeGreaterThan(0);
    expect(deeper.blockDevice).toBe(here.blockDevice);
    expect(proc).toMatchObject({ fsType: 'proc', freeInodes: null });
    expect(proc.blockDevice).not.toBe(here.blockDevice);
    await expect(freeSpace(join(dir(), 'missing'))).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('recovery.list', () => {
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
    const partials = (await recovery.list(dir())).toSorted((a, b) => a.id.localeCompare(b.id));
    const { blocks } = statSync(join(dir(), '.wcc-a.partial'));
    expect(partials).toMatchObject([
      { id: 'a', partialBytes: blocks * 512, hasSidecar: true },
      { id: 'b', partialBytes: 0, hasSidecar: false },
    ]);
    expect(Date.now() - (partials[0]?.modifiedMs ?? 0)).toBeLessThan(60_000);
  });
});

describe('isOpenElsewhere', () => {
  const dir = useDirectory();

  it.runIf(available)('finds a reader and a writer of a file, also of this process', () => {
    const path = join(dir(), 'file');
    writeFileSync(path, 'x');
    expect(isOpenElsewhere(path)).toBe(false);
    for (const mode of ['r', 'r+']) {
      const fd = openSync(path, mode);
      expect(isOpenElsewhere(path)).toBe(true);
      closeSync(fd);
    }
    expect(isOpenElsewhere(path)).toBe(false);
    expect(() => isOpenElsewhere(join(dir(), 'missing'))).toThrow(CopyError);
  });
});

describe('renameExclusively', () => {
  const dir = useDirectory();

  it('renames a file, and never replaces another one', () => {
    const at = (name: string): string => join(dir(), name);
    writeFileSync(at('a'), 'a');
    writeFileSync(at('b'), 'b');
    expect(() => renameExclusively(at('a'), at('b'))).toThrow(
      expect.objectContaining({ code: 'exists' }) as Error,
    );
    expect(renameExclusively(at('a'), at('c')).warnings).toEqual([]);
    expect(readdirSync(dir()).toSorted()).toEqual(['b', 'c']);
    expect(readFileSync(at('b'), 'utf8')).toBe('b');
  });
});
