import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { PoolError, toPoolError } from './error.ts';
import { readMarker } from './marker.ts';
import type { Pools } from './pools.ts';

/** The directory of a pool, held open. */
export interface HeldPool {
  /** Leads to the directory even if the pool is unmounted. */
  directory: string;
  release: () => Promise<void>;
}

/**
 * Opens the directory of a pool, so that nothing is written below its mount point when it is unmounted. The marker is
 * checked through the same descriptor.
 * @throws PoolError
 */
export async function holdPool(pools: Pools, poolId: string): Promise<HeldPool> {
  const { id, path } = await pools.use(poolId);
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch((error: unknown) => {
    throw toPoolError(error);
  });
  try {
    const directory = `/proc/self/fd/${handle.fd}`;
    const marker = await readMarker(directory);
    if (marker?.poolId !== id) throw new PoolError('marker_missing');
    // The directory was only read, so an error of its close loses nothing.
    return { directory, release: () => handle.close().catch(() => {}) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Runs a step with the directory of a pool, held open.
 * @throws PoolError
 */
export async function withHeldPool<Result>(
  pools: Pools,
  poolId: string,
  step: (directory: string) => Promise<Result>,
): Promise<Result> {
  const { directory, release } = await holdPool(pools, poolId);
  try {
    return await step(directory);
  } finally {
    await release();
  }
}
