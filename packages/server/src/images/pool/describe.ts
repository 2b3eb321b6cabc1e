import type { Pool as PoolResource } from '@wcc/api';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import type { ImagesContext } from '../context.ts';
import { measureFreeSpace } from '../space/free-space.ts';
import type { PoolSpace } from '../space/free-space.ts';
import { PoolError } from './error.ts';
import type { Pool } from './pools.ts';

/** The numbers of each pool's latest answer, shown while its disk does not respond. */
const lastKnown = new WeakMap<Pool, PoolSpace>();

/** A pool as the API shows it; an unavailable pool has no numbers, or its latest ones if its disk does not respond. */
export async function toPool(
  context: ImagesContext,
  pool: Pool,
  principal: Principal,
): Promise<PoolResource> {
  const { id, name, canClone } = pool;
  const { space, reason } = await measure(context, pool);
  const isReady = reason === null;
  return {
    id,
    name,
    path: can(principal, 'pool.locate') ? pool.path : null,
    state: isReady ? 'ready' : 'unavailable',
    stateReason: isReady ? null : { code: reason.reason, message: reason.message, hint: reason.hint },
    totalBytes: space?.totalBytes ?? 0,
    freeBytes: space?.freeBytes ?? 0,
    reservedBytes: space?.reservedBytes ?? 0,
    fileSystem: space?.fileSystem ?? '',
    clonePossible: isReady && canClone,
  };
}

async function measure(
  context: ImagesContext,
  pool: Pool,
): Promise<{ space: PoolSpace | null; reason: PoolError | null }> {
  if (pool.reason !== null) return { space: null, reason: pool.reason };
  try {
    const space = await pool.gate.run(() => measureFreeSpace(context, pool));
    lastKnown.set(pool, space);
    return { space, reason: null };
  } catch (error) {
    if (!(error instanceof PoolError) || error.reason !== 'not_responding') throw error;
    return { space: lastKnown.get(pool) ?? null, reason: error };
  }
}
