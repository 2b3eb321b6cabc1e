import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestFile } from '@wcc/copy';

const MiB = 1024 ** 2;
let home: string;
const path = (name: string): string => join(home, name);
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-digest-'));
});
afterAll(async () => {
  await rm(home, { recursive: true });
});

it('digestFile hashes holes as zeros without reading them', async () => {
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
  const job = digestFile(path('sparse'));
  const found = await job.done;
  expect(found.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
  expect(found.skippedBytes).toBeGreaterThan(30 * MiB);
  expect(job.progress().doneBytes).toBe(size);
  expect(found.file.size).toBe(String(size));
});

it('digestFile hashes an empty file; rejects a symlink, a directory and a missing file', async () => {
  await writeFile(path('empty'), '');
  expect((await digestFile(path('empty')).done).sha256).toBe(createHash('sha256').digest('hex'));
  await symlink(path('empty'), path('link'));
  await expect(digestFile(path('link')).done).rejects.toMatchObject({ code: 'not_regular' });
  await expect(digestFile(home).done).rejects.toMatchObject({ code: 'not_regular' });
  await expect(digestFile(path('gone')).done).rejects.toMatchObject({ code: 'not_found' });
});

it('digestFile rejects with cancelled when cancelled in mid-file', async () => {
  await writeFile(path('huge'), '');
  await truncate(path('huge'), 1024 ** 4);
  const job = digestFile(path('huge'));
  job.cancel();
  await expect(job.done).rejects.toMatchObject({ code: 'cancelled' });
  expect(job.progress().doneBytes).toBeLessThan(1024 ** 4);
});
