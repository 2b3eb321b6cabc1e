import { readFile, truncate, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { admin, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  domain = await startDomain();
  await writeRandom(path('a.raw'), 5 * MiB);
  await truncate(path('a.raw'), 40 * MiB);
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', path('a.raw'), path('q.qcow2')]);
  await domain.rescan();
});
afterEach(async () => {
  await domain.close();
});

async function verify(name: string, digest?: string): Promise<Snapshot> {
  const { id } = await domain.image(name);
  const body = digest === undefined ? {} : { sha256: digest };
  return domain.images.verify(admin, { id, body, idempotencyKey: null });
}

it('verify_image stores the digest of an image until its file changes', async () => {
  const digest = await sha256(path('a.raw'));
  const ended = await domain.wait((await verify('a.raw', digest)).id, 'succeeded');
  expect(ended).toMatchObject({
    action: 'verify_image',
    bytes: { virtual: 40 * MiB, written: 0 },
    phases: [{ name: 'read', state: 'done', done: 40 * MiB, total: 40 * MiB }],
  });
  expect(ended.bytes?.skipped).toBeGreaterThan(30 * MiB);
  expect((await domain.image('a.raw')).sha256).toBe(digest);
  await domain.rescan();
  expect((await domain.image('a.raw')).sha256).toBe(digest);
  await writeFile(path('a.raw'), 'changed');
  await domain.rescan();
  expect((await domain.image('a.raw')).sha256).toBeNull();
  expect(domain.errors).toEqual([]);
});

it('verify_image fails if the digest differs from the given one, and names both', async () => {
  const wrong = 'ab'.repeat(32);
  const { error } = await domain.wait((await verify('a.raw', wrong)).id, 'failed');
  expect(error).toMatchObject({ code: 'digest_mismatch' });
  expect(error?.message).toContain(await sha256(path('a.raw')));
  expect((await domain.image('a.raw')).sha256).toBeNull();
});

it('verify_image also checks the tables of a qcow2 image', async () => {
  const ended = await domain.wait((await verify('q.qcow2')).id, 'succeeded');
  expect(ended.phases.map(({ name, state }) => `${name}:${state}`)).toEqual(['read:done', 'check:done']);
  const image = await readFile(path('q.qcow2'));
  // The first entry of its first L2 table names the table of reference counts.
  const l2 = Number(image.readBigUInt64BE(Number(image.readBigUInt64BE(40))) & 0xfffffffffffe00n);
  image.write('8000000000010000', l2, 'hex');
  await writeFile(path('q.qcow2'), image);
  const { error } = await domain.wait((await verify('q.qcow2')).id, 'failed');
  expect(error).toMatchObject({ code: 'damaged_image' });
});
