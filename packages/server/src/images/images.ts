import type {
  CopyImageInput,
  CopyPlan,
  Image,
  ImageList,
  PoolList,
  RemainsList,
  RescanResult,
} from '@wcc/api';
import type { SampleImageInput } from '@wcc/api';
import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { Hub } from '@wcc/progress/server';
import type { Principal } from '../access/principal.ts';
import { can, type Right } from '../access/rules.ts';
import { createKeyedMutex } from '../operations/mutex.ts';
import type { Operations } from '../operations/operations.ts';
import type { FreeSpaceFloor } from '../operations/space.ts';
import type { Store } from '../storage/store.ts';
import type { ImagesContext } from './context.ts';
import { createCopyAction } from './copy/action.ts';
import { planCopy, requestCopy } from './copy/request.ts';
import { createImageNumbers, listImages, readImage, toImage } from './image-rows.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import type { Pools } from './pool/pools.ts';
import { toPool } from './pool/describe.ts';
import { findUnknownRemains, removeUnknownRemains } from './remains.ts';
import { createSampleAction } from './sample/action.ts';
import { requestSample } from './sample/request.ts';
import { createImageUsers, type ImageUsers } from './users.ts';

export interface ImagesOptions {
  store: Store;
  hub: Hub;
  operations: Operations;
  pools: Pools;
  freeSpaceFloor: FreeSpaceFloor;
  onError: (error: unknown, context: { stage: string }) => void;
  /** How often the pool is looked at without a hint. @default 30000 */
  pollMs?: number;
}

/** Pools and the images in them. Every call checks the right of the principal that it names. */
export interface Images {
  /** What stands in the way of deleting an image; other parts of wcc add what they use. */
  readonly users: ImageUsers;
  /** For whatever else fills pools. */
  readonly context: ImagesContext;
  /** Takes over the operations of an earlier process, opens the pools and looks into them. */
  start(): Promise<void>;
  list(principal: Principal, page: { cursor?: string | undefined; limit: number }): Promise<ImageList>;
  get(principal: Principal, id: number): Promise<Image>;
  plan(principal: Principal, id: number, name: string | undefined): Promise<CopyPlan>;
  copy(principal: Principal, order: CopyOrder): Promise<Snapshot>;
  makeSample(principal: Principal, order: SampleOrder): Promise<Snapshot>;
  pools(principal: Principal): Promise<PoolList>;
  rescan(principal: Principal, poolId: string): Promise<RescanResult>;
  remains(principal: Principal, poolId: string): Promise<RemainsList>;
  removeRemains(principal: Principal, poolId: string, id: string): Promise<void>;
  close(): Promise<void>;
}

export interface CopyOrder {
  id: number;
  body: CopyImageInput;
  idempotencyKey: string | null;
}

export interface SampleOrder {
  body: SampleImageInput;
  idempotencyKey: string | null;
}

export async function createImages(options: ImagesOptions): Promise<Images> {
  const { store, hub, operations, pools, freeSpaceFloor: floor, onError } = options;
  const numbers = await createImageNumbers(store);
  const fileSystemMutex = createKeyedMutex();
  const users = createImageUsers(store);
  const shared = { store, hub, operations, pools, numbers, users };
  const context: ImagesContext = { ...shared, floor, fileSystemMutex, onError };
  const keeper = createKeeper(context, options.pollMs);
  const { copy, makeSample } = createMakers(context);
  const poolIds = (): string[] => pools.all().map(({ id }) => id);
  return {
    users,
    context,
    async start() {
      await operations.adopt();
      await keeper.start();
    },
    async list(principal, { cursor, limit }) {
      demand(principal, 'image.list');
      return listImages(store, { poolIds: poolIds(), cursor, limit, users: await users.all() });
    },
    async get(principal, id) {
      demand(principal, 'image.list');
      return toImage(await readImage(store, id), (await users.all()).get(id));
    },
    async plan(principal, id, name) {
      demand(principal, 'image.list');
      return planCopy(context, id, name);
    },
    copy,
    makeSample,
    ...createPoolCalls(context, keeper),
    async close() {
      await keeper.close();
      pools.close();
    },
  };
}

function createPoolCalls(
  context: ImagesContext,
  keeper: Keeper,
): Pick<Images, 'pools' | 'rescan' | 'remains' | 'removeRemains'> {
  const { pools } = context;
  return {
    async pools(principal) {
      demand(principal, 'pool.see');
      return { items: await Promise.all(pools.all().map((pool) => toPool(context, pool))) };
    },
    async rescan(principal, poolId) {
      demand(principal, 'pool.rescan');
      return keeper.rescan(poolId, principal);
    },
    async remains(principal, poolId) {
      demand(principal, 'remains.see');
      return { items: await findUnknownRemains(context, await pools.use(poolId)) };
    },
    async removeRemains(principal, poolId, id) {
      demand(principal, 'remains.delete');
      await removeUnknownRemains(context, await pools.use(poolId), { id, principal });
    },
  };
}

/** The two ways to make an image, with their actions made known to the engine of operations. */
function createMakers(context: ImagesContext): Pick<Images, 'copy' | 'makeSample'> {
  const copyAction = createCopyAction(context, async (input, { principal, idempotencyKey, retryOf }) => {
    demand(principal, 'image.copy');
    const { targetName: name, poolId: pool, method, bytesPerSecond, verify, sourceId } = input;
    const body = { name, pool, method, bytesPerSecond, verify };
    return requestCopy(context, copyAction, { principal, sourceId, body, idempotencyKey, retryOf });
  });
  const sampleAction = createSampleAction(context, async (input, { principal, idempotencyKey, retryOf }) => {
    demand(principal, 'image.make');
    const { targetName: name, poolId, sizeBytes } = input;
    const body = { name, sizeBytes };
    return requestSample(context, sampleAction, { principal, poolId, body, idempotencyKey, retryOf });
  });
  context.operations.register(copyAction);
  context.operations.register(sampleAction);
  return {
    async copy(principal, { id, body, idempotencyKey }) {
      demand(principal, 'image.copy');
      return requestCopy(context, copyAction, {
        principal,
        sourceId: id,
        body,
        idempotencyKey,
        retryOf: null,
      });
    },
    async makeSample(principal, { body, idempotencyKey }) {
      demand(principal, 'image.make');
      const [pool] = context.pools.all();
      if (pool === undefined) throw new ApiError('not_found');
      return requestSample(context, sampleAction, {
        principal,
        poolId: pool.id,
        body,
        idempotencyKey,
        retryOf: null,
      });
    },
  };
}

function demand(principal: Principal, right: Right): void {
  if (!can(principal, right)) throw new ApiError('forbidden');
}
