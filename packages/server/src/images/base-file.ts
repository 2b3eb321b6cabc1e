import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import type { FileIdentity } from '@wcc/copy';
import { sql } from 'kysely';
import { join } from 'node:path';
import type { Store, WriteStatement } from '../storage/store.ts';
import type { ImagesContext } from './context.ts';
import { digestOf, holdsBase, isDigestValid } from './image-rows.ts';
import type { ImageRow } from './image-rows.ts';
import { statEntry } from './scan/stat-entry.ts';

/**
 * Overlays hold only what differs from their base, so they are worth nothing on another content. The row of a base keeps
 * the identity of the file that its overlays were made on.
 */
type Context = Pick<ImagesContext, 'store' | 'pools'>;

/** Limit of a backing chain. A longer one is a loop. */
export const maxChainLength = 8;

/** The images of a backing chain, nearest first. */
export async function readChain({ db }: Store, baseId: ImageId | null): Promise<ImageRow[]> {
  const chain: ImageRow[] = [];
  for (let next = baseId; next !== null && chain.length < maxChainLength;) {
    const image = await db.selectFrom('images').selectAll().where('id', '=', next).executeTakeFirst();
    if (image === undefined) break;
    chain.push(image);
    next = image.baseId;
  }
  return chain;
}

/**
 * Call it in front of every program that reads a disk through its bases.
 * @throws ApiError `base_changed`
 */
export async function assertBasesHold(context: Context, baseId: ImageId | null): Promise<void> {
  for (const base of await readChain(context.store, baseId)) {
    const entry = await statBase(context, base);
    if (base.baseFile !== null && !holdsBase(base.baseFile, entry)) throw changed(base);
  }
}

/**
 * Records the file as it is now, unless there are overlays already: then it must be the file that they were made on.
 * @throws ApiError `base_changed`
 */
export async function claimBase(context: Context, id: ImageId): Promise<WriteStatement[]> {
  const [base, ...rest] = await readChain(context.store, id);
  if (base === undefined) throw new ApiError('not_found');
  await assertBasesHold(context, rest[0]?.id ?? null);
  const entry = await statBase(context, base);
  if (base.baseFile === null) return [setBase(context.store, base, entry)];
  if (!holdsBase(base.baseFile, entry)) throw changed(base);
  return [];
}

/** Takes the file of now as the one that the overlays were made on. @throws ApiError `base_changed` if it is missing */
export async function acceptBase(context: Context, base: ImageRow): Promise<WriteStatement[]> {
  if (base.baseFile === null) return [];
  return [setBase(context.store, base, await statBase(context, base))];
}

/**
 * What a digest of a file proves about it as a base: if it is the known digest of the file that overlays were made on, this
 * is that file, e.g. from a backup.
 */
export function proveBase(
  { db }: Store,
  id: ImageId,
  found: { file: string; sha256: string },
): WriteStatement {
  const { file, sha256 } = found;
  const query = db
    .updateTable('images')
    .set({
      baseFile: sql<string>`case when baseSha256 = ${sha256} then ${file} else baseFile end`,
      baseSha256: sql<string>`case when baseFile = ${file} then ${sha256} else baseSha256 end`,
    })
    .where('id', '=', id)
    .where('baseFile', 'is not', null);
  return { query };
}

function setBase({ db }: Store, base: ImageRow, entry: FileIdentity): WriteStatement {
  const file = digestOf(entry);
  const isKnown = isDigestValid(base) && base.digestOf === file;
  const facts = { baseFile: file, baseSha256: isKnown ? base.sha256 : null };
  return { query: db.updateTable('images').set(facts).where('id', '=', base.id) };
}

async function statBase({ pools }: Context, { poolId, name }: ImageRow): Promise<FileIdentity> {
  const { path } = await pools.use(poolId);
  const entry = await statEntry(join(path, name), name);
  if (entry?.kind === 'file') return entry;
  throw new ApiError('base_changed', {
    message: `The file of the image "${name}", which the disk is based on, is missing.`,
    hint: 'Put the file back, then rescan the pool.',
  });
}

function changed({ id, name }: ImageRow): ApiError {
  const message = `The image "${name}" has changed since the disk was made on it.`;
  const hint = `Put the earlier file back. If the content is the same, e.g. from a backup, an administrator accepts it: wcc image accept-base ${id}`;
  return new ApiError('base_changed', { message, hint });
}
