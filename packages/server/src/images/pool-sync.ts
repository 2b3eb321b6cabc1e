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

/** Keeps records and directories together: at the start, on hints, every now and then, and when asked. */
export interface PoolSync {
  start(): Promise<void>;
  /** Opens the pool when it was not there, and takes every file that nobody writes to. */
  rescan(poolId: string, principal: Principal): Promise<RescanResult>;
  /** Waits for the look that is going on. */
  close(): Promise<void>;
}

export function createPoolSync(context: ImagesContext, pollMs?: number): PoolSync {
  const { pools, onError } = context;
  const oneByOne = createMutex();
  let isClosed = false;
  const watch = createPoolWatch({
    onError,
    onHint: () => {
      lookAgain().catch((error: unknown) => onError(error, { stage: 'pools: look' }));
    },
    ...(pollMs === undefined ? {} : { pollMs }),
  });

  async function scan(pool: Pool, mode: ScanOptions['mode']): Promise<RescanResult> {
    return scanPool({ ...context, pool, mode });
  }
  function lookAgain(): Promise<void> {
    return oneByOne(async () => {
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
      await oneByOne(async () => {
        await refresh(context, watch);
        for (const pool of pools.all()) if (pools.isReady(pool.id)) await scan(pool, 'asked');
      });
    },
    rescan: (poolId, principal) =>
      oneByOne(async () => {
        pools.find(poolId);
        await refresh(context, watch);
        const result = await scan(await pools.use(poolId), 'asked');
        await context.store.write([audit(principal, 'pool.rescan', `pool:${poolId}`)]);
        return result;
      }),
    close() {
      isClosed = true;
      watch.close();
      return oneByOne(async () => {});
    },
  };
}

/** Opens pools that were not there, and goes on with their operations. */
async function refresh(context: ImagesContext, watch: PoolWatch): Promise<void> {
  const { pools, operations } = context;
  const becameReady = await pools.refresh();
  operations.publishUnavailable();
  if (!becameReady) return;
  for (const pool of pools.all()) {
    if (!pools.isReady(pool.id)) continue;
    // Before any scan: what was published before a crash gets its end first, then its file is known.
    await operations.recoverPool(pool.id);
    await sweepPartials(context, pool);
    watch.attach(pool.path);
  }
}
