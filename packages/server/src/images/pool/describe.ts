import type { Pool as PoolResource } from '@wcc/api';
import type { ImagesContext } from '../context.ts';
import { measureFreeSpace } from '../space/free-space.ts';
import type { Pool } from './pools.ts';

/** A pool as the API shows it; an unavailable pool has no numbers. */
export async function toPool(context: ImagesContext, pool: Pool): Promise<PoolResource> {
  const { id, name, path, reason, canClone } = pool;
  const state = reason === null ? 'ready' : 'unavailable';
  const stateReason =
    reason === null ? null : { code: reason.reason, message: reason.message, hint: reason.hint };
  const space = reason === null ? await measureFreeSpace(context, pool) : null;
  return {
    id,
    name,
    path,
    state,
    stateReason,
    totalBytes: space?.totalBytes ?? 0,
    freeBytes: space?.freeBytes ?? 0,
    reservedBytes: space?.reservedBytes ?? 0,
    fileSystem: space?.fileSystem ?? '',
    clonePossible: reason === null && canClone,
  };
}
