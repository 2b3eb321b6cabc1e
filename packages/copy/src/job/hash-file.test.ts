import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashFile } from '@wcc/copy';

const MiB = 1024 ** 2;
let home: string;
const path = (name: string): string => join(home, name);
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-digest-'));
});
afterAll(async () => {
  await rm(home, { recursive: true });
});

it('hashFile hashes holes as zeros without reading them', async () => {
  const [first, last] = [randomBytes(3 * MiB + 17), randomBytes(5000)];
  const size = 40 * MiB + 123;
  const file = await open(path('sparse'), 'w');
  await file.truncate(size);
  await file.write(first, 0, first.length, 0);
  await file.write(last, 0, last.length, 20 * MiB);
  await file.close();
  const whole = Buffer.alloc(size);
  first.copy(whole);
  last.copy(whole, 20 * MiB);
  const reports: { doneBytes: number; totalBytes: number | null }[] = [];
  const found = await hashFile(path('sparse'), { onProgress: (progress) => reports.push(progress) });
  expect(found.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
  expect(found.skippedBytes).toBeGreaterThan(30 * MiB);
  expect(reports.at(-1)).toEqual({ doneBytes: size, totalBytes: size });
  expect(found.file.size).toBe(String(size));
});

it('hashFile hashes an empty file; rejects a symlink, a directory and a missing file', async () => {
  await writeFile(path('empty'), '');
  expect((await hashFile(path('empty'))).sha256).toBe(createHash('sha256').digest('hex'));
  await symlink(path('empty'), path('link'));
  await expect(hashFile(path('link'))).rejects.toMatchObject({ code: 'not_regular' });
  await expect(hashFile(home)).rejects.toMatchObject({ code: 'not_regular' });
  await expect(hashFile(path('gone'))).rejects.toMatchObject({ code: 'not_found' });
});

it('hashFile rejects with cancelled when cancelled in mid-file', async () => {
  await writeFile(path('huge'), '');
  await truncate(path('huge'), 1024 ** 4);
  const stop = new AbortController();
  let doneBytes = 0;
  const hash = hashFile(path('huge'), {
    signal: stop.signal,
    onProgress(progress) {
      ({ doneBytes } = progress);
      stop.abort();
    },
  });
  await expect(hash).rejects.toMatchObject({ code: 'cancelled' });
  expect(doneBytes).toBeGreaterThan(0);
  expect(doneBytes).toBeLessThan(1024 ** 4);
});
