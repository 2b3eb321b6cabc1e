import type * as files from 'node:fs/promises';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admin, MiB, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';
import { createPartial, givePartialItsName, publishPartial, wasPublished } from './linked-partial.ts';

vi.setConfig({ testTimeout: 60_000 });
vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof files>();
  const refusal = Object.assign(new Error('EPERM: link'), { code: 'EPERM', errno: -1 });
  return { ...actual, link: vi.fn<typeof files.link>().mockRejectedValue(refusal) };
});

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);
beforeEach(async () => {
  domain = await startDomain();
});
afterEach(() => domain.close());

describe('D21: a file system without hard links', () => {
  it('D21: takes a sample image', async () => {
    const body = { name: 's.raw', sizeBytes: MiB };
    const { id } = await domain.images.makeSample(admin, {
      body,
      idempotencyKey: null,
    });
    await domain.wait(id, 'succeeded');
    expect(await domain.image('s.raw')).toMatchObject({ state: 'ready', owner: admin.userId });
    expect(await domain.litter()).toEqual([]);
  });

  it('D21: takes a converted image', async () => {
    await writeRandom(path('a.raw'), MiB);
    await domain.rescan();
    const { id: source } = await domain.image('a.raw');
    const body = { name: 'q.qcow2', format: 'qcow2' as const, compress: false };
    const { id } = await domain.images.convert(admin, { id: source, body, idempotencyKey: null });
    await domain.wait(id, 'succeeded');
    expect(await domain.image('q.qcow2')).toMatchObject({ format: 'qcow2', copiedFrom: source });
    expect(await domain.litter()).toEqual([]);
  });

  it('D21: shows after a crash which file was published, and replaces no other file', async () => {
    const names = { directory: domain.poolDir, id: 'a'.repeat(26), targetName: 'b.raw' };
    const file = await createPartial(names.directory, names.id);
    try {
      await file.write('image');
      expect(await wasPublished(names)).toBe(false);
      await publishPartial(file, names);
    } finally {
      await file.close();
    }
    expect((await stat(path('b.raw'))).size).toBe(5);
    expect(await wasPublished(names)).toBe(true);
    expect(await wasPublished({ ...names, targetName: 'other.raw' })).toBe(false);
    await writeFile(path(`.wcc-${names.id}.partial`), 'another');
    await expect(givePartialItsName(names)).rejects.toMatchObject({ code: 'exists' });
    expect(await wasPublished(names)).toBe(false);
  });
});
