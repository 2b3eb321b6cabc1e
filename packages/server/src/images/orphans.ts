import { ApiError } from '@wcc/api';
import type { OrphanList } from '@wcc/api';
import * as recovery from '@wcc/copy/recovery';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { sql } from 'kysely';
import type { Store } from '../storage/store.ts';
import type { ImagesContext } from './context.ts';
import { readRow } from '../operations/rows.ts';
import { deleteAction } from './delete/input.ts';
import type { DeleteInput } from './delete/input.ts';
import { undoRemoval } from './delete/remove.ts';
import { withHeldPool } from './pool/held-pool.ts';

/**
 * Finds the hidden files of a pool that belong to no operation of this installation, and the images that a failed
 * deletion could not give their names back.
 */
export async function findOrphans(
  context: ImagesContext,
  pool: { path: string },
): Promise<OrphanList['items']> {
  const found = await recovery.list(pool.path);
  const known = await readKnown(
    context,
    found.map(({ id }) => id),
  );
  return found
    .filter(({ id }) => !known.has(id) || isHiddenOriginal(known.get(id)))
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
  await recovery.remove(pool.path, id);
  await context.store.write([audit(principal, 'orphan.delete', `orphan:${id}`)]);
}

/**
 * Removes the partial files of operations that have ended: after a crash at their end, or a failed clean-up. Restores
 * the name of an image whose deletion has failed, and keeps it hidden while another file has the name. This process
 * has locked the pool, so no other one works on them.
 */
export async function sweepPartials(
  context: ImagesContext,
  pool: { id: string; path: string },
): Promise<void> {
  const found = await recovery.list(pool.path);
  const known = await readKnown(
    context,
    found.map(({ id }) => id),
  );
  for (const { id } of found) {
    const operation = known.get(id);
    if (operation?.hasEnded !== true || context.operations.isLive(id)) continue;
    await settleOrRemove(context, pool, operation).catch((error: unknown) =>
      context.onError(error, { stage: `pool ${pool.path}: partial ${id}` }),
    );
  }
}

async function settleOrRemove(
  context: ImagesContext,
  pool: { id: string },
  { id, isUndone, hasSucceeded }: KnownOperation,
): Promise<void> {
  // The disk did not answer at the end of the operation. What it has published must not be removed.
  if (!hasSucceeded && (await context.operations.registerLateResult(id))) return;
  const row = isUndone ? await readRow(context.store, id) : null;
  await withHeldPool(context.pools, pool.id, async (directory) => {
    if (row === null) await recovery.remove(directory, id);
    else await undoRemoval({ directory, id, input: row.input as DeleteInput });
  });
}

/**
 * The operations whose hidden files are in the pools: the row says what is in a file, and which name an image had.
 * The files of an unavailable pool are unknown, so its undone deletions stay.
 */
export async function operationsWithFiles({ pools, store }: ImagesContext): Promise<string[]> {
  const found = await Promise.all(
    pools
      .all()
      .map(async (pool) =>
        pools.isReady(pool.id)
          ? (await recovery.list(pool.path)).map(({ id }) => id)
          : undoneDeletions(store, pool.id),
      ),
  );
  return found.flat();
}

async function undoneDeletions({ db }: Store, poolId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('operations')
    .select('id')
    .where('action', '=', deleteAction)
    .where('state', 'in', ['failed', 'cancelled'])
    .where(sql`json_extract(input, '$.poolId')`, '=', poolId)
    .execute();
  return rows.map(({ id }) => id);
}

interface KnownOperation {
  id: string;
  hasEnded: boolean;
  hasSucceeded: boolean;
  /** A deletion that has failed or was cancelled: its hidden file is an image, not a partial. */
  isUndone: boolean;
}

function isHiddenOriginal(operation: KnownOperation | undefined): boolean {
  return operation?.isUndone === true && operation.hasEnded;
}

/** The operations of this installation with these ids. */
async function readKnown(
  context: ImagesContext,
  ids: readonly string[],
): Promise<Map<string, KnownOperation>> {
  if (ids.length === 0) return new Map();
  const rows = await context.store.db
    .selectFrom('operations')
    .select(['id', 'endedAt', 'action', 'state'])
    .where('id', 'in', ids)
    .execute();
  return new Map(
    rows.map(({ id, endedAt, action, state }) => {
      const hasSucceeded = state === 'succeeded';
      const isUndone = action === deleteAction && !hasSucceeded;
      return [id, { id, hasEnded: endedAt !== null, hasSucceeded, isUndone }];
    }),
  );
}
