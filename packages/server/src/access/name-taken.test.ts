import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import { toApiError } from '../http/problems.ts';
import { openStore } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';

/** Two rows of the same name, in SQL, because each table has more columns than matter here. */
const rows: readonly (readonly [table: string, code: string, insert: (id: number) => string])[] = [
  ['users', 'exists', (id) => `insert into users values ('${id}', 'ann', 'viewer', null, 0, 1, '')`],
  ['nameReservations', 'exists', (id) => `insert into nameReservations values ('p', 'a.raw', '${id}')`],
  [
    'images',
    'exists',
    (
      id,
    ) => `insert into images (id, poolId, name, virtualSizeBytes, sizeBytes, dataBytes, state, inode, mtimeNs, createdAt)
      values (${id}, 'p', 'a.raw', 0, 0, 0, 'ready', '${id}', '0', '')`,
  ],
  [
    'vms',
    'vm_name_taken',
    (
      id,
    ) => `insert into vms (id, uuid, name, poolId, ownerId, ownerName, state, cpus, memoryBytes, firmware, networkKind, mac, bootOrder, hasSeed, createdAt)
      values (${id}, '${id}', 'web', 'p', 'o', 'o', 'ready', 1, 1, 'bios', 'none', '', '[]', 0, '')`,
  ],
];

async function withStore<Result>(use: (store: Store) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'wcc-names-'));
  const store = await openStore(join(directory, 'wcc.sqlite'), { onError: () => {} });
  try {
    return await use(store);
  } finally {
    await store.close();
    await rm(directory, { recursive: true });
  }
}

it.each(rows)(
  'D21: a second row of a name in %s is refused with %s, never with 500',
  async (_table, code, insert) => {
    const refused = await withStore(async (store) => {
      const add = (id: number): Promise<unknown> => {
        const compiled = CompiledQuery.raw(insert(id));
        return store.write([{ query: { compile: () => compiled } }]);
      };
      await store.write([
        {
          query: {
            compile: () => CompiledQuery.raw(`insert into pools values ('p', 'p', '/p', '')`),
          },
        },
      ]);
      await add(100);
      return add(101).then(
        () => null,
        (error: unknown) => error,
      );
    });
    expect(toApiError(refused)).toMatchObject({ status: 409, code, field: 'name' });
  },
);

it('D21: another constraint is not reported as a taken name', async () => {
  const refused = await withStore(async (store) => {
    const row = { scope: 's', bodyHash: '', operationId: 'o', createdAt: '' };
    const query = store.db.insertInto('idempotencyKeys').values(row);
    await store.write([{ query }]);
    return store.write([{ query }]).then(
      () => null,
      (error: unknown) => error,
    );
  });
  expect(toApiError(refused).code).not.toBe('exists');
});
