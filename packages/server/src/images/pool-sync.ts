import type { RescanResult } from '@wcc/api';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { createMutex } from '../concurrency/mutex.ts';
import type { ImagesContext } from './context.ts';
import type { Pool } from './pool/pools.ts';
import { sweepPartials } from './orphans.ts';
import { scanPool } from './scan/scan.ts';
import { createPoolWatch } from './scan/watch.ts';
import type { PoolWatch } from './scan/watch.ts';

/** Keeps records and directories in sync: at the start, on hints of the file system, by polling, and on request. */
export interface PoolSync {
  start(): Promise<void>;
  /** Opens the pool if it was unavailable, and registers every file that no program writes to. */
  rescan(poolId: string, principal: Principal): Promise<RescanResult>;
  /** Waits for the running scan. */
  close(): Promise<void>;
}

export function createPoolSync(context: ImagesContext, pollMs?: number): PoolSync {
  const { pools, onError } = context;
  const exclusive = createMutex();
  let isClosed = false;
  /** Requests of people that wait for an automatic look, which stops for them at its next file. */
  let waiting = 0;
  const isUnwanted = (): boolean => isClosed || waiting > 0;
  const watch: PoolWatch = createPoolWatch({
    onError,
    onNames: (names) => exclusive(() => look(context, { watch, isUnwanted, names })),
    onPoll: async () => void (await exclusive(() => look(context, { watch, isUnwanted }))),
    ...(pollMs === undefined ? {} : { pollMs }),
  });
  const scanAsked = async (pool: Pool): Promise<RescanResult> =>
    (await scanPool({ ...context, pool, mode: 'asked' })).result;

  return {
    async start() {
      await exclusive(async () => {
        await refresh(context, watch);
        for (const pool of pools.all()) if (pools.isReady(pool.id)) await scanAsked(pool);
      });
    },
    rescan(poolId, principal) {
      waiting += 1;
      return exclusive(async () => {
        waiting -= 1;
        pools.find(poolId);
        await refresh(context, watch);
        const pool = await pools.use(poolId);
        await context.operations.recoverPool(poolId);
        const result = await scanAsked(pool);
        await context.store.write([audit(principal, 'pool.rescan', `pool:${poolId}`)]);
        return result;
      });
    },
    close() {
      isClosed = true;
      watch.close();
      return exclusive(async () => {});
    },
  };
}

interface LookOptions {
  watch: PoolWatch;
  /** True from now on: the look stops. */
  isUnwanted: () => boolean;
  /** Compares these names only. @default the whole pool */
  names?: readonly string[];
}

/** Looks automatically. Returns the names that it must see again. */
async function look(
  context: ImagesContext,
  { watch, isUnwanted, names }: LookOptions,
): Promise<readonly string[]> {
  const { pools, operations } = context;
  const again: string[] = [];
  if (isUnwanted()) return names ?? [];
  // The files of a pool that is gone are not missing.
  const becameReady = await refresh(context, watch);
  for (const pool of pools.all()) {
    if (!pools.isReady(pool.id)) continue;
    if (isUnwanted()) break;
    await operations.recoverPool(pool.id);
    if (isUnwanted()) break;
    if (names === undefined) await sweepPartials(context, pool);
    const only = names === undefined || becameReady ? {} : { only: names };
    const { unstable } = await scanPool({
      ...context,
      ...only,
      pool,
      mode: 'automatic',
      isStopped: isUnwanted,
    });
    again.push(...unstable);
  }
  return isUnwanted() ? (names ?? []) : again;
}

/** Opens pools that were unavailable, and recovers their operations. Returns whether one became available. */
async function refresh(context: ImagesContext, watch: PoolWatch): Promise<boolean> {
  const { pools, operations } = context;
  const becameReady = await pools.refresh();
  operations.publishUnavailable();
  if (!becameReady) return false;
  for (const pool of pools.all()) {
    if (!pools.isReady(pool.id)) continue;
    // This runs before any scan, so that its operation registers a file that was published before a crash.
    await operations.recoverPool(pool.id, { becameReady: true });
    await sweepPartials(context, pool);
    watch.attach(pool.path);
  }
  return true;
}
