import type { RescanResult } from '@wcc/api';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { createMutex } from '../concurrency/mutex.ts';
import type { ImagesContext } from './context.ts';
import type { Pool } from './pool/pools.ts';
import { sweepPartials } from './orphans.ts';
import { scanPool } from './scan/scan.ts';
import type { ScanOptions } from './scan/scan.ts';
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
  const watch = createPoolWatch({
    onError,
    onHint: () => {
      syncAll().catch((error: unknown) => onError(error, { stage: 'pools: look' }));
    },
    ...(pollMs === undefined ? {} : { pollMs }),
  });

  async function scan(pool: Pool, mode: ScanOptions['mode']): Promise<RescanResult> {
    return scanPool({ ...context, pool, mode });
  }
  function syncAll(): Promise<void> {
    return exclusive(async () => {
      if (isClosed) return;
      await refresh(context, watch);
      for (const pool of pools.all()) {
        if (!pools.isReady(pool.id)) continue;
        await context.operations.recoverPool(pool.id);
        await sweepPartials(context, pool);
        await scan(pool, 'automatic');
      }
    });
  }

  return {
    async start() {
      await exclusive(async () => {
        await refresh(context, watch);
        for (const pool of pools.all()) if (pools.isReady(pool.id)) await scan(pool, 'asked');
      });
    },
    rescan: (poolId, principal) =>
      exclusive(async () => {
        pools.find(poolId);
        await refresh(context, watch);
        const result = await scan(await pools.use(poolId), 'asked');
        await context.store.write([audit(principal, 'pool.rescan', `pool:${poolId}`)]);
        return result;
      }),
    close() {
      isClosed = true;
      watch.close();
      return exclusive(async () => {});
    },
  };
}

/** Opens pools that were unavailable, and recovers their operations. */
async function refresh(context: ImagesContext, watch: PoolWatch): Promise<void> {
  const { pools, operations } = context;
  const becameReady = await pools.refresh();
  operations.publishUnavailable();
  if (!becameReady) return;
  for (const pool of pools.all()) {
    if (!pools.isReady(pool.id)) continue;
    // This runs before any scan, so that its operation registers a file that was published before a crash.
    await operations.recoverPool(pool.id);
    await sweepPartials(context, pool);
    watch.attach(pool.path);
  }
}
