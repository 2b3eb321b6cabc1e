import { ApiError } from '@wcc/api';
import type { OrphanList } from '@wcc/api';
import { listRemains, removeRemains } from '@wcc/copy';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { ImagesContext } from './context.ts';

/** Finds the hidden files of a pool that belong to no operation of this installation. */
export async function findOrphans(
  context: ImagesContext,
  pool: { path: string },
): Promise<OrphanList['items']> {
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

/** @throws ApiError `not_found` for anything but what {@link findOrphans} shows */
export async function removeOrphan(
  context: ImagesContext,
  pool: { path: string },
  request: { id: string; principal: Principal },
): Promise<void> {
  const { id, principal } = request;
  const shown = await findOrphans(context, pool);
  if (!shown.some((orphan) => orphan.id === id)) throw new ApiError('not_found');
  await removeRemains(pool.path, id);
  await context.store.write([audit(principal, 'orphan.delete', `orphan:${id}`)]);
}

/**
 * Removes the partial files of operations that have ended: after a crash at their end, or a failed clean-up.
 * This process has locked the pool, so no other one works on them.
 */
export async function sweepPartials(context: ImagesContext, pool: { path: string }): Promise<void> {
  const found = await listRemains(pool.path);
  const known = await readKnown(
    context,
    found.map(({ id }) => id),
  );
  for (const { id } of found) {
    const isTerminal = known.get(id);
    if (isTerminal !== true || context.operations.isLive(id)) continue;
    await removeRemains(pool.path, id).catch((error: unknown) =>
      context.onError(error, { stage: `pool ${pool.path}: partial ${id}` }),
    );
  }
}

/** The ids of operations of this installation, and whether they have ended. */
async function readKnown(context: ImagesContext, ids: readonly string[]): Promise<Map<string, boolean>> {
  if (ids.length === 0) return new Map();
  const rows = await context.store.db
    .selectFrom('operations')
    .select(['id', 'endedAt'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map(({ id, endedAt }) => [id, endedAt !== null]));
}
