import { ApiError } from '@wcc/api';
import type { Image, ImageFormat, ImageId, ImageUser, VmId } from '@wcc/api';
import type { FileIdentity } from '@wcc/copy';
import { compareIdentity } from '@wcc/copy/recovery';
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import type { Database } from '../storage/schema.ts';
import type { Store, WriteStatement } from '../storage/store.ts';

export type ImageRow = Selectable<Database['images']>;

/** Short numbers of images or machines, from 100. Only one process assigns them, because it locks the pool. */
export interface Numbers<Id extends number> {
  /** A new number and its statement. The batch that uses the number must contain the statement. */
  take(): { id: Id; statement: WriteStatement };
}

const firstNumber = 100;

export async function createNumbers<Id extends ImageId | VmId>(
  store: Store,
  name: 'image' | 'vm',
): Promise<Numbers<Id>> {
  const counter = await store.db
    .selectFrom('counters')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst();
  let next = counter?.value ?? firstNumber;
  return {
    take() {
      const id = next as Id;
      next += 1;
      const query = store.db
        .insertInto('counters')
        .values({ name, value: next })
        .onConflict((conflict) =>
          // Batches may become durable in another order than their numbers.
          conflict.column('name').doUpdateSet({ value: sql`max(counters.value, excluded.value)` }),
        );
      return { id, statement: { query } };
    },
  };
}

/** The identity of the file that a row describes. `ctimeNs` is null in a row of 0.1.0 until the next scan. */
export function fileOf(row: ImageRow): FileState {
  const { inode, sizeBytes, mtimeNs, ctimeNs } = row;
  return { inode, size: String(sizeBytes), mtimeNs, ctimeNs };
}

type FileState = Omit<FileIdentity, 'ctimeNs'> & { ctimeNs: string | null };

/**
 * The state of a file that a stored fact is valid for; null if it is unknown, and then no fact is valid. The values of
 * 0.1.0 had no change time and equal no new one.
 */
export function digestOf({ inode, size, mtimeNs, ctimeNs }: FileState): string | null {
  return ctimeNs === null ? null : [inode, size, mtimeNs, ctimeNs].join(':');
}

export function toImage(row: ImageRow, usedBy: readonly ImageUser[] = []): Image {
  const { id, name, format, virtualSizeBytes, sizeBytes, dataBytes, state, stateReason } = row;
  const { poolId, owner, copiedFrom, createdAt } = row;
  const what = { id, name, format, virtualSizeBytes, sizeBytes, dataBytes, state, stateReason };
  const sha256 = isDigestValid(row) ? row.sha256 : null;
  const facts = { sha256, private: row.private === 1, template: row.template === 1 };
  const remarks = JSON.parse(row.remarks) as string[];
  const use = { baseChanged: isBaseChanged(row), usedBy: [...usedBy] };
  return { ...what, pool: poolId, owner, copiedFrom, ...facts, remarks, ...use, createdAt };
}

export function isDigestValid(row: ImageRow): boolean {
  return row.digestOf !== null && row.digestOf === digestOf(fileOf(row));
}

/** Whether the file has changed since overlays were made on it, as the last scan saw it. */
export function isBaseChanged(row: ImageRow): boolean {
  return row.baseFile !== null && !holdsBase(row.baseFile, fileOf(row));
}

/**
 * A change time alone says nothing about the content: a new owner, mode or name moves it too. Only a program that dates its
 * write back on purpose would pass.
 */
export function holdsBase(baseFile: string, now: Omit<FileIdentity, 'ctimeNs'>): boolean {
  const [inode = '', size = '', mtimeNs = '', ctimeNs = ''] = baseFile.split(':');
  return compareIdentity({ inode, size, mtimeNs, ctimeNs }, { ...now, ctimeNs }) !== 'changed';
}

export async function readImage(store: Store, id: ImageId): Promise<ImageRow> {
  const row = await store.db.selectFrom('images').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ApiError('not_found');
  return row;
}

/** The rows in ascending order of their numbers. */
export async function listImages(
  store: Store,
  page: {
    poolIds: readonly string[];
    cursor: string | undefined;
    limit: number;
    usersOf: (id: ImageId) => ImageUser[];
    isSeen: (id: ImageId) => boolean;
  },
): Promise<{ items: Image[]; next?: string }> {
  const rows = await store.db
    .selectFrom('images')
    .selectAll()
    .where('poolId', 'in', page.poolIds)
    .where('id', '>', afterOf(page.cursor))
    .orderBy('id')
    .limit(page.limit + 1)
    .execute();
  const pageRows = rows.slice(0, page.limit);
  const items = pageRows.filter(({ id }) => page.isSeen(id)).map((row) => toImage(row, page.usersOf(row.id)));
  const last = pageRows.at(-1);
  // Counts the rows that were read, because a page without a visible image need not be the last page.
  return rows.length > pageRows.length && last ? { items, next: String(last.id) } : { items };
}

function afterOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new ApiError('invalid_input', { field: 'cursor', message: 'This is not a valid cursor.' });
}

/** Whether unknown content stays a disc, because a person declared it. */
export function isDeclaredDisc({ format, fixedFormat }: ImageRow, found: ImageFormat): boolean {
  return format === 'iso' && fixedFormat === 1 && found === 'raw';
}

/** The name of the base of an overlay. */
export async function baseNameOf(
  { db }: Store,
  { baseId }: Pick<ImageRow, 'baseId'>,
): Promise<string | undefined> {
  if (baseId === null) return undefined;
  const base = await db.selectFrom('images').select('name').where('id', '=', baseId).executeTakeFirst();
  return base?.name;
}
