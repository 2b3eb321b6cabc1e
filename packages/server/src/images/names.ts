import { ApiError, nameSkeleton } from '@wcc/api';
import { sql } from 'kysely';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../storage/store.ts';
import { statEntry } from './scan/stat-entry.ts';

/** A file of any kind, a record or a reservation with this name, or with a name that looks like it; or null. */
async function findTaken(
  store: Store,
  pool: { id: string; path: string },
  name: string,
): Promise<string | null> {
  // The file may have been created since the list of the directory was read.
  if ((await statEntry(join(pool.path, name), name)) !== null) return name;
  const { db } = store;
  const skeleton = nameSkeleton(name);
  // A plain name is its own skeleton, so only this one and names with other characters can look like it.
  const looksAlike = sql<boolean>`(name = ${skeleton} or name glob '*[^ -~]*')`;
  const [reserved, registered, files] = await Promise.all([
    db
      .selectFrom('nameReservations')
      .select('name')
      .where('poolId', '=', pool.id)
      .where(looksAlike)
      .execute(),
    db
      .selectFrom('images')
      .select('name')
      .where('poolId', '=', pool.id)
      .where('state', '!=', 'missing')
      .where(looksAlike)
      .execute(),
    readdir(pool.path),
  ]);
  // Most names are both of an image and of its file.
  const others = new Set([...reserved, ...registered].map((row) => row.name).concat(files));
  return [...others].find((other) => nameSkeleton(other) === skeleton) ?? null;
}

/** Whether a name, or a name that looks like it, is in use. */
export async function isNameTaken(
  store: Store,
  pool: { id: string; path: string },
  name: string,
): Promise<boolean> {
  return (await findTaken(store, pool, name)) !== null;
}

/** @throws ApiError `exists` */
export async function assertNameFree(
  store: Store,
  pool: { id: string; path: string },
  name: string,
): Promise<void> {
  const taken = await findTaken(store, pool, name);
  if (taken === null) return;
  const message =
    taken === name
      ? `The pool already has a file or an image named "${name}".`
      : `The pool already has a file or an image whose name looks like "${name}".`;
  throw new ApiError('exists', { field: 'name', message });
}
