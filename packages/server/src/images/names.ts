import { ApiError } from '@wcc/api';
import { join } from 'node:path';
import type { Store } from '../storage/store.ts';
import { statEntry } from './scan/stat-entry.ts';

/** Whether a name is in use by a file of any kind, a record or a reservation. */
export async function isNameTaken(
  store: Store,
  pool: { id: string; path: string },
  name: string,
): Promise<boolean> {
  if ((await statEntry(join(pool.path, name), name)) !== null) return true;
  const reserved = await store.db
    .selectFrom('nameReservations')
    .select('operationId')
    .where('poolId', '=', pool.id)
    .where('name', '=', name)
    .executeTakeFirst();
  if (reserved !== undefined) return true;
  const registered = await store.db
    .selectFrom('images')
    .select('id')
    .where('poolId', '=', pool.id)
    .where('name', '=', name)
    .where('state', '!=', 'missing')
    .executeTakeFirst();
  return registered !== undefined;
}

/** @throws ApiError `exists` */
export async function assertNameFree(
  store: Store,
  pool: { id: string; path: string },
  name: string,
): Promise<void> {
  if (!(await isNameTaken(store, pool, name))) return;
  throw new ApiError('exists', {
    field: 'name',
    message: `The pool already has a file or an image named "${name}".`,
  });
}
