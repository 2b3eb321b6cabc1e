import { ApiError } from '@wcc/api';
import type { RemainsList } from '@wcc/api';
import { listRemains, removeRemains } from '@wcc/copy';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { ImagesContext } from './context.ts';

/** Hidden files of copies that no operation of this installation knows. */
export async function findUnknownRemains(
  context: ImagesContext,
  pool: { path: string },
): Promise<RemainsList['items']> {
  const found = await listRemains(pool.path);
  const known = await readKnown(
    context,
    found.map(({ id }) => id),
  );
  return found
    .filter(({ id }) => !known.has(id))
    .map(({ id, partialBytes, hasSidecar, modifiedMs }) => ({
      id,
      partialBytes,
      hasCheckpoint: hasSidecar,
      modifiedAt: new Date(modifiedMs).toISOString(),
    }));
}

/** @throws ApiError `not_found` for anything but what {@link findUnknownRemains} shows */
export async function removeUnknownRemains(
  context: ImagesContext,
  pool: { path: string },
  order: { id: string; principal: Principal },
): Promise<void> {
  const { id, principal } = order;
  const shown = await findUnknownRemains(context, pool);
  if (!shown.some((remains) => remains.id === id)) throw new ApiError('not_found');
  await removeRemains(pool.path, id);
  await context.store.write([audit(principal, 'remains.delete', `remains:${id}`)]);
}

/**
 * Removes what operations that have ended left behind: a crash after their end, or a disk that would not be
 * cleaned then. Nobody else works on them, because the pool is locked by this process.
 */
export async function sweepRemains(context: ImagesContext, pool: { path: string }): Promise<void> {
  const found = await listRemains(pool.path);
  const known = await readKnown(
    context,
    found.map(({ id }) => id),
  );
  for (const { id } of found) {
    const isTerminal = known.get(id);
    if (isTerminal !== true || context.operations.isLive(id)) continue;
    await removeRemains(pool.path, id).catch((error: unknown) =>
      context.onError(error, { stage: `pool ${pool.path}: remains of ${id}` }),
    );
  }
}

/** Ids that are operations of this installation, and whether they have ended. */
async function readKnown(context: ImagesContext, ids: readonly string[]): Promise<Map<string, boolean>> {
  if (ids.length === 0) return new Map();
  const rows = await context.store.db
    .selectFrom('operations')
    .select(['id', 'endedAt'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map(({ id, endedAt }) => [id, endedAt !== null]));
}
