import { warmUp } from '@wcc/copy';
import type { Domain, DomainDeps } from './domain.ts';
import { registerImages } from './http/images.ts';
import { registerMetrics } from './http/metrics.ts';
import { registerOperations } from './http/operations.ts';
import { registerPublish } from './http/publish.ts';
import { registerPools } from './http/pools.ts';
import { createImages } from './images/images.ts';
import { createPools } from './images/pool/pools.ts';
import { mayOperate } from './operations/may.ts';
import { createOperations } from './operations/operations.ts';

/** Builds operations, images and pools. */
export async function createDomain(deps: DomainDeps): Promise<Domain> {
  const { config, store, hub, installationId, onError, onState, metrics } = deps;
  const pools = await createPools({ store, installationId, pool: config.pool, onError });
  const operations = createOperations({
    store,
    hub,
    onError,
    onState,
    maxRunningPerPool: config.maxCopiesPerPool,
    isPoolReady: (poolId) => pools.isReady(poolId),
  });
  const { freeSpaceFloor } = config;
  const images = await createImages({ store, hub, operations, pools, freeSpaceFloor, onError });
  return {
    registerRoutes(app) {
      registerOperations(app, { operations });
      registerPublish(app, { publishing: operations.publishing });
      registerImages(app, { images });
      registerPools(app, { images });
      registerMetrics(app, { metrics, images });
    },
    may: (principal, snapshot) => ({ ...mayOperate(principal, snapshot) }),
    lookup: (id) => operations.snapshot(id),
    start() {
      // A whole copy by shared blocks takes less time than the start of a thread.
      warmUp().catch((error: unknown) => onError(error, { stage: 'copy: warm-up' }));
      return images.start();
    },
    async stop() {
      await operations.stop();
      await images.close();
    },
  };
}
