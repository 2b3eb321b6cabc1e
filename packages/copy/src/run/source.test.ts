import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyFile, hashFile, inspectFile } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { hiddenFilesIn, useDirectory } from '../testkit/files.testkit.ts';

/** Files of the kernel whose size is not the length of their content: 0 in /proc, 4096 in /sys. */
const lyingFiles = ['/proc/cpuinfo', '/proc/self/maps', '/sys/kernel/mm/transparent_hugepage/enabled'].filter(
  (path) => existsSync(path),
);

describe('a source whose size is not the length of its content', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  const refusal = { code: 'size_unknown', hint: expect.stringContaining('fs.readFile()') as unknown };

  it.each(lyingFiles)('copyFile, hashFile and inspectFile reject %s', async (path) => {
    expect(readFileSync(path).length).toBeGreaterThan(0);
    for (const native of ['auto', 'off'] as const) {
      for (const verify of [false, true])
        await expect(copyFile(path, at('copy'), { native, verify })).rejects.toMatchObject({
          ...refusal,
          path,
        });
      await expect(inspectFile(path, { native })).rejects.toMatchObject({ ...refusal, path });
    }
    await expect(hashFile(path)).rejects.toMatchObject({ ...refusal, path });
    expect(existsSync(at('copy'))).toBe(false);
    expect(hiddenFilesIn(dir())).toEqual([]);
  });

  it('an empty file, and a file that is one hole, have the size of their content', async () => {
    writeFileSync(at('empty'), '');
    writeFileSync(at('hole'), '');
    truncateSync(at('hole'), 1_000_000);
    for (const [name, size] of [
      ['empty', 0],
      ['hole', 1_000_000],
    ] as const) {
      const { bytes } = await copyFile(at(name), at(`${name}-copy`), { verify: true });
      expect(bytes.virtual).toBe(size);
      expect((await inspectFile(at(name))).sizeBytes).toBe(size);
      expect((await hashFile(at(name))).file.size).toBe(String(size));
    }
  });
});
