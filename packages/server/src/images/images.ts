import type {
  ChangeImageRequest,
  CopyPlan,
  Image,
  ImageId,
  ImageList,
  ImageUser,
  OrphanList,
  PoolList,
  RescanResult,
} from '@wcc/api';
import type { Hub, OnError } from '@wcc/progress/server';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { assertRight } from '../access/rules.ts';
import { createKeyedMutex } from '../concurrency/mutex.ts';
import type { Operations } from '../operations/operations.ts';
import type { FreeSpaceFloor } from './space/reservations.ts';
import type { Store } from '../storage/store.ts';
import type { ImagesContext } from './context.ts';
import { planCopy } from './copy/request.ts';
import { openImage } from './download/open.ts';
import type { OpenImage } from './download/open.ts';
import { createNumbers, listImages, readImage, toImage } from './image-rows.ts';
import { createPoolSync } from './pool-sync.ts';
import type { PoolSync } from './pool-sync.ts';
import type { IsAllowed } from './import/address-rules.ts';
import { createImageActions } from './actions.ts';
import type { ImageActions } from './actions.ts';
import type { Pools } from './pool/pools.ts';
import { toPool } from './pool/describe.ts';
import { findOrphans, removeOrphan } from './orphans.ts';
import { createImageReferences, assertImageVisible, isVisibleTo, visibleReferences } from './references.ts';
import type { ImageReferences } from './references.ts';

export interface ImagesOptions {
  store: Store;
  hub: Hub;
  operations: Operations;
  pools: Pools;
  freeSpaceFloor: FreeSpaceFloor;
  /** Maximum size of an image from outside, of its file and of its virtual disk. */
  maxVirtualSizeBytes: number;
  onError: OnError;
  /** Addresses outside the public internet that may be imported from. @default none */
  mayImportFrom?: IsAllowed;
  /** Interval of scans without a hint of the file system. @default 30000 */
  pollMs?: number;
}

/** Pools and their images. Every call checks the rights of the principal. */
export interface Images extends ImageActions {
  /** The users of images, which prevent deletion; other parts of wcc add theirs. */
  readonly references: ImageReferences;
  /** For uploads and machines, which also create images. */
  readonly context: ImagesContext;
  /** Restores the operations of an earlier process, then opens and scans the pools. */
  start(): Promise<void>;
  list(principal: Principal, page: { cursor?: string | undefined; limit: number }): Promise<ImageList>;
  get(principal: Principal, id: ImageId): Promise<Image>;
  plan(principal: Principal, id: ImageId, name: string | undefined): Promise<CopyPlan>;
  change(principal: Principal, id: ImageId, body: ChangeImageRequest): Promise<Image>;
  /** Opens the file for a download; the caller closes it. `isFirst`: recorded in the audit record. */
  open(principal: Principal, id: ImageId, options: { isFirst: boolean }): Promise<OpenImage>;
  pools(principal: Principal): Promise<PoolList>;
  rescan(principal: Principal, poolId: string): Promise<RescanResult>;
  orphans(principal: Principal, poolId: string): Promise<OrphanList>;
  removeOrphan(principal: Principal, poolId: string, id: string): Promise<void>;
  close(): Promise<void>;
}

export async function createImages(options: ImagesOptions): Promise<Images> {
  const { store, hub, operations, pools, freeSpaceFloor: floor, maxVirtualSizeBytes, onError } = options;
  const numbers = await createNumbers<ImageId>(store, 'image');
  const fileSystemMutex = createKeyedMutex();
  const references = createImageReferences(store);
  const shared = { store, hub, operations, pools, numbers, references };
  const context: ImagesContext = { ...shared, floor, maxVirtualSizeBytes, fileSystemMutex, onError };
  const poolSync = createPoolSync(context, options.pollMs);
  const mayImportFrom = options.mayImportFrom ?? ((): boolean => false);
  return {
    references,
    context,
    async start() {
      await operations.adopt();
      await poolSync.start();
    },
    ...createReaders(context),
    ...createImageActions(context, { mayImportFrom }),
    async change(principal, id, body) {
      await assertImageVisible(context, principal, id);
      await changeImage(context, principal, { id, body });
      return toImage(
        await readImage(store, id),
        visibleReferences(principal, (await references.all()).get(id)),
      );
    },
    async open(principal, id, { isFirst }) {
      assertRight(principal, 'image.download');
      await assertImageVisible(context, principal, id);
      const image = await openImage(context, id);
      if (isFirst) await store.write([audit(principal, 'image.download', `image:${id}`)]);
      return image;
    },
    ...createPoolCalls(context, poolSync),
    async close() {
      await poolSync.close();
      pools.close();
    },
  };
}

function createReaders(context: ImagesContext): Pick<Images, 'list' | 'get' | 'plan'> {
  const { store, pools, references } = context;
  return {
    async list(principal, { cursor, limit }) {
      assertRight(principal, 'image.list');
      const poolIds = pools.all().map((pool) => pool.id);
      const all = await references.all();
      const usersOf = (id: ImageId): ImageUser[] => visibleReferences(principal, all.get(id));
      const isSeen = (id: ImageId): boolean => isVisibleTo(principal, all.get(id));
      return listImages(store, { poolIds, cursor, limit, usersOf, isSeen });
    },
    async get(principal, id) {
      assertRight(principal, 'image.list');
      const usedBy = await assertImageVisible(context, principal, id);
      return toImage(await readImage(store, id), usedBy);
    },
    async plan(principal, id, name) {
      assertRight(principal, 'image.list');
      return planCopy(context, principal, { id, name });
    },
  };
}

function createPoolCalls(
  context: ImagesContext,
  poolSync: PoolSync,
): Pick<Images, 'pools' | 'rescan' | 'orphans' | 'removeOrphan'> {
  const { pools } = context;
  return {
    async pools(principal) {
      assertRight(principal, 'pool.see');
      return { items: await Promise.all(pools.all().map((pool) => toPool(context, pool))) };
    },
    async rescan(principal, poolId) {
      assertRight(principal, 'pool.rescan');
      return poolSync.rescan(poolId, principal);
    },
    async orphans(principal, poolId) {
      assertRight(principal, 'orphan.see');
      return { items: await findOrphans(context, await pools.use(poolId)) };
    },
    async removeOrphan(principal, poolId, id) {
      assertRight(principal, 'orphan.delete');
      await removeOrphan(context, await pools.use(poolId), { id, principal });
    },
  };
}

/** Sets or clears the template mark. @throws ApiError `not_found`, `forbidden` */
async function changeImage(
  { store }: ImagesContext,
  principal: Principal,
  { id, body }: { id: ImageId; body: ChangeImageRequest },
): Promise<void> {
  const { owner, rev } = await readImage(store, id);
  assertRight(principal, 'image.change', { owner });
  const query = store.db
    .updateTable('images')
    .set({ template: body.template ? 1 : 0, rev: rev + 1 })
    .where('id', '=', id)
    .where('rev', '=', rev);
  await store.write([{ query, expectRows: 1 }, audit(principal, 'image.change', `image:${id}`)]);
}
