import { execFileSync } from 'node:child_process';
import { chmod, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ImageId } from '@wcc/api';
import { readSlowly } from './download/slow-client.testkit.ts';
import { admin, MiB, sha256, startDomain, writeRandom } from './images.testkit.ts';
import type { DomainUnderTest } from './images.testkit.ts';

vi.setConfig({ testTimeout: 120_000 });
let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  domain = await startDomain();
  await writeRandom(path('a.raw'), 3 * MiB);
  await domain.rescan();
});
afterEach(async () => {
  await domain.close();
});

/** Writes new content of the same size into the file, and sets its modification time back, as `rsync --inplace -t` does. */
async function rewrite(name: string): Promise<void> {
  const before = await stat(path(name), { bigint: true });
  const other = join(domain.home, 'other');
  await writeRandom(other, Number(before.size));
  execFileSync('touch', ['-r', path(name), other]);
  execFileSync('cp', ['--no-preserve=mode', '--preserve=timestamps', other, path(name)]);
  const after = await stat(path(name), { bigint: true });
  expect([after.ino, after.size, after.mtimeNs]).toEqual([before.ino, before.size, before.mtimeNs]);
}

async function verify(): Promise<void> {
  const { id } = await domain.image('a.raw');
  await domain.wait(
    (await domain.images.verify(admin, { id, body: {}, idempotencyKey: null })).id,
    'succeeded',
  );
}

async function download(change: () => Promise<void>): Promise<string> {
  const { id } = await domain.image('a.raw');
  const image = await domain.images.open(admin, id);
  const parts = readSlowly(image, { start: 0, end: image.sizeBytes });
  await parts.next();
  await change();
  try {
    for await (const _ of parts);
    return 'whole';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const etag = async (id: ImageId): Promise<string> => {
  const image = await domain.images.open(admin, id);
  await image.file.close();
  return image.etag;
};

describe('D13: a file that is rewritten and gets its modification time back', () => {
  it('D13: loses its digest', async () => {
    await verify();
    expect((await domain.image('a.raw')).sha256).toBe(await sha256(path('a.raw')));
    await rewrite('a.raw');
    await domain.rescan();
    expect((await domain.image('a.raw')).sha256).toBeNull();
    await verify();
    expect((await domain.image('a.raw')).sha256).toBe(await sha256(path('a.raw')));
  });

  it('D13: has another entity tag', async () => {
    const { id } = await domain.image('a.raw');
    const before = await etag(id);
    expect(await etag(id)).toBe(before);
    await rewrite('a.raw');
    expect(await etag(id)).not.toBe(before);
  });

  it('D13: cuts a running download', async () => {
    expect(await download(() => rewrite('a.raw'))).toBe('source_changed');
  });

  it('D13: a renamed file with another mode is downloaded to its end', async () => {
    const change = async (): Promise<void> => {
      await rename(path('a.raw'), path('b.raw'));
      await chmod(path('b.raw'), 0o600);
    };
    expect(await download(change)).toBe('whole');
  });

  it.each([
    ['rewritten', () => rewrite('a.raw')],
    ['given another mode', () => chmod(path('a.raw'), 0o600)],
  ])('D13: is converted as it is at the end, if it is %s in the middle', async (_what, change) => {
    await writeRandom(path('a.raw'), 48 * MiB);
    await domain.rescan();
    const { id: image } = await domain.image('a.raw');
    const body = { name: 'q.qcow2', format: 'qcow2' as const, compress: true };
    const { id } = await domain.images.convert(admin, { id: image, body, idempotencyKey: null });
    await expect
      .poll(async () => (await domain.operations.snapshot(id))?.bytes?.written ?? 0, { interval: 10 })
      .toBeGreaterThan(0);
    await domain.operations.pause(id, admin);
    expect((await domain.operations.snapshot(id))?.phases[1]?.state).toBe('running');
    await change();
    await domain.operations.resume(id, admin);
    await domain.wait(id, 'succeeded');
    execFileSync('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', path('a.raw'), path('q.qcow2')]);
    const log = await domain.operations.log(id, admin);
    expect(log.map(({ text }) => text)).toContain('The source may have changed, so it is converted again.');
  });
});

it('D13: a digest that 0.1.0 stored is not shown until the file is read again', async () => {
  await verify();
  const { inode, sizeBytes, mtimeNs } = await domain.store.db
    .selectFrom('images')
    .selectAll()
    .executeTakeFirstOrThrow();
  const digestOf = `${inode}:${sizeBytes}:${mtimeNs}`;
  const query = domain.store.db.updateTable('images').set({ ctimeNs: null, digestOf });
  await domain.store.write([{ query }]);
  expect((await domain.image('a.raw')).sha256).toBeNull();
  await domain.rescan();
  expect((await domain.image('a.raw')).sha256).toBeNull();
  await verify();
  expect((await domain.image('a.raw')).sha256).toBe(await sha256(path('a.raw')));
  await writeFile(path('a.raw'), 'other');
  await domain.rescan();
  expect((await domain.image('a.raw')).sha256).toBeNull();
});
