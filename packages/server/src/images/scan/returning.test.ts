import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Store } from '../../storage/store.ts';
import { startDomain } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);
afterEach(() => domain.close());

it('D21: an image that is registered onto the name of a missing one during a scan does not lose the batch', async () => {
  let beforeScanWrites: ((store: Store) => Promise<void>) | null = null;
  const wrapStore = (store: Store): Store => ({
    ...store,
    async write(batch) {
      const isScan = batch.some(
        (statement) => 'query' in statement && statement.query.compile().sql.startsWith('update "images"'),
      );
      const before = isScan ? beforeScanWrites : null;
      if (before !== null) {
        beforeScanWrites = null;
        await before(store);
      }
      return store.write(batch);
    },
  });
  domain = await startDomain({ wrapStore });
  await writeFile(path('a.raw'), 'x');
  await domain.rescan();
  await rename(path('a.raw'), path('.aside'));
  await domain.rescan();
  const missing = await domain.store.db.selectFrom('images').selectAll().executeTakeFirstOrThrow();
  expect(missing.state).toBe('missing');
  await rename(path('.aside'), path('a.raw'));
  await writeFile(path('b.raw'), 'x');
  // What the end of a copy stores.
  const registered = { ...missing, id: 5_000 as typeof missing.id, state: 'ready' as const };
  beforeScanWrites = async (store) => {
    await store.write([{ query: store.db.insertInto('images').values(registered) }]);
  };
  await domain.rescan();
  expect(beforeScanWrites).toBeNull();
  const rows = await domain.store.db
    .selectFrom('images')
    .select(['id', 'name', 'state'])
    .where('poolId', '=', domain.poolId())
    .orderBy('name')
    .orderBy('id')
    .execute();
  expect(rows).toMatchObject([
    { id: missing.id, name: 'a.raw', state: 'missing' },
    { id: 5_000, name: 'a.raw', state: 'ready' },
    { name: 'b.raw', state: 'ready' },
  ]);
});
