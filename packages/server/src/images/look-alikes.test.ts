import type { KyselyPlugin } from 'kysely';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDomain } from './images.testkit.ts';
import type { DomainUnderTest } from './images.testkit.ts';
import { isNameTaken } from './names.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  domain = await startDomain();
});
afterEach(async () => {
  await domain.close();
});

async function stateOf(name: string): Promise<string | null> {
  const { state, stateReason } = await domain.image(name);
  return stateReason ?? state;
}

describe('SL6: images whose names look alike', () => {
  const composed = 'nur-\u00e4.raw';
  const decomposed = 'nur-a\u0308.raw';

  it.each([
    ['in Cyrillic letters', 'd\u0435bian.raw', 'debian.raw'],
    ['in NFD (F17)', composed, decomposed],
    ['in full-width letters', 'debian.raw', '\uff44ebian.raw'],
  ])('the second one is refused: %s', async (_, first, second) => {
    await writeFile(path(first), 'x');
    await domain.rescan();
    await writeFile(path('source.raw'), 'x');
    await domain.rescan();
    const refused = domain.copy('source.raw', second);
    await expect(refused).rejects.toMatchObject({ code: 'exists', field: 'name' });
    await expect(refused).rejects.toThrow(/looks like/);
  });

  it('a name that an operation has reserved counts too', async () => {
    await writeFile(path('source.raw'), 'x');
    await domain.rescan();
    const both = await Promise.allSettled([
      domain.copy('source.raw', 'web.raw'),
      domain.copy('source.raw', 'w\u0435b.raw'),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('F17: a file that a scan found keeps its name in NFD', async () => {
    await writeFile(path(decomposed), 'x');
    await domain.rescan();
    expect(await stateOf(decomposed)).toBe('ready');
  });

  it('a scan refuses a new file whose name has invisible characters, and keeps an image of an earlier release', async () => {
    const name = 'de\u200bbian.raw';
    await writeFile(path(name), 'x');
    await domain.rescan();
    expect(await stateOf(name)).toBe('invalid_name');
    // As release 0.1.0 registered it.
    const change = { state: 'ready', stateReason: null, format: 'raw' } as const;
    await domain.store.write([
      { query: domain.store.db.updateTable('images').set(change).where('name', '=', name), expectRows: 1 },
    ]);
    await domain.rescan();
    expect(await stateOf(name)).toBe('ready');
  });
});

describe('D9: the name of a new image beside 10,000 images', () => {
  const rows = 10_000;

  it('is checked without a read of all names, and a look-alike is found', async () => {
    const { store, poolDir } = domain;
    const pool = { id: domain.poolId(), path: poolDir };
    const createdAt = new Date().toISOString();
    const facts = { format: 'raw', state: 'ready', virtualSizeBytes: 1, sizeBytes: 1, dataBytes: 1 } as const;
    const file = { inode: '1', mtimeNs: '1', ctimeNs: '1', stateReason: null, owner: null, copiedFrom: null };
    for (let id = 100; id < 100 + rows; id += 500) {
      const images = Array.from({ length: 500 }, (_, at) => {
        const name = id + at === 4000 ? 'd\u0435bian.raw' : `image-${id + at}.raw`;
        return { ...facts, ...file, id: id + at, poolId: pool.id, name, createdAt };
      });
      await store.write([{ query: store.db.insertInto('images').values(images) }]);
    }
    let readRows = 0;
    const counting: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: ({ result }) => {
        readRows += result.rows.length;
        return Promise.resolve(result);
      },
    };
    const counted = { ...store, db: store.db.withPlugin(counting) };
    expect(await isNameTaken(counted, pool, 'new.raw')).toBe(false);
    expect(await isNameTaken(counted, pool, 'debian.raw')).toBe(true);
    // Both times, the only name with other than plain characters.
    expect(readRows).toBe(2);
  });
});
