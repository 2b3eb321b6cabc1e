import { ApiError } from '@wcc/api';
import type {
  ChangeImageRequest,
  CopyPlan,
  Image,
  ImageId,
  ImageList,
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
import type { PlanRequest } from './copy/request.ts';
import { acceptBase } from './base-file.ts';
import { createFileLooks } from './file-looks.ts';
import { createDownloadAudit } from './download/audit.ts';
import type { SentPart } from './download/audit.ts';
import { openImage } from './download/open.ts';
import type { OpenImage } from './download/open.ts';
import { createNumbers, listImages, readImage, toImage } from './image-rows.ts';
import { assertNotDeleting, exclusively } from './use.ts';
import { createPoolSync } from './pool-sync.ts';
import type { PoolSync } from './pool-sync.ts';
import type { IsAllowed } from './import/address-rules.ts';
import { createImageActions } from './actions.ts';
import type { ImageActions } from './actions.ts';
import type { Pools } from './pool/pools.ts';
import { toPool } from './pool/describe.ts';
import { findOrphans, operationsWithFiles, removeOrphan } from './orphans.ts';
import { createImageReferences, assertImageVisible, visibleImages } from './references.ts';
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
  plan(principal: Principal, request: PlanRequest): Promise<CopyPlan>;
  change(principal: Principal, id: ImageId, body: ChangeImageRequest): Promise<Image>;
  /** Opens the file for a download; the caller closes it, and calls `recordDownload` before it sends bytes. */
  open(principal: Principal, id: ImageId): Promise<OpenImage>;
  /** Writes the audit row of the bytes that the caller is about to send. */
  recordDownload(part: SentPart): Promise<void>;
  pools(principal: Principal): Promise<PoolList>;
  rescan(principal: Principal, poolId: string): Promise<RescanResult>;
  orphans(principal: Principal, poolId: string): Promise<OrphanList>;
  removeOrphan(principal: Principal, poolId: string, id: string): Promise<void>;
  close(): Promise<void>;
}

export async function createImages(options: ImagesOptions): Promise<Images> {
  const { store, hub, operations, pools, freeSpaceFloor: floor, maxVirtualSizeBytes, onError } = options;
  const numbers = await createNumbers<ImageId>(store, 'image');
  const mutexes = { fileSystemMutex: createKeyedMutex(), imageMutex: createKeyedMutex() };
  const references = createImageReferences(store);
  const looks = createFileLooks();
  const shared = { store, hub, operations, pools, numbers, references, looks };
  const context: ImagesContext = { ...shared, floor, maxVirtualSizeBytes, ...mutexes, onError };
  operations.addNeeded(() => operationsWithFiles(context));
  const poolSync = createPoolSync(context, options.pollMs);
  const downloadAudit = createDownloadAudit(store);
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
      await exclusively(context, [id], async () => {
        await assertNotDeleting(context, [id]);
        await changeImage(context, principal, { id, body });
      });
      const { usersOf } = await visibleImages(context, principal);
      return toImage(await readImage(store, id), usersOf(id));
    },
    async open(principal, id) {
      assertRight(principal, 'image.download');
      await assertImageVisible(context, principal, id);
      return openImage(context, id);
    },
    recordDownload: (part) => downloadAudit.record(part),
    ...createPoolCalls(context, poolSync),
    async close() {
      await poolSync.close();
      pools.close();
    },
  };
}

function createReaders(context: ImagesContext): Pick<Images, 'list' | 'get' | 'plan'> {
  const { store, pools } = context;
  return {
    async list(principal, { cursor, limit }) {
      assertRight(principal, 'image.list');
      const poolIds = pools.all().map((pool) => pool.id);
      const { usersOf, isSeen } = await visibleImages(context, principal);
      return listImages(store, { poolIds, cursor, limit, usersOf, isSeen });
    },
    async get(principal, id) {
      assertRight(principal, 'image.list');
      const usedBy = await assertImageVisible(context, principal, id);
      return toImage(await readImage(store, id), usedBy);
    },
    async plan(principal, request) {
      assertRight(principal, 'image.list');
      return planCopy(context, principal, request);
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
      return { items: await Promise.all(pools.all().map((pool) => toPool(context, pool, principal))) };
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

/** Sets or clears the template mark, publishes a private image, or accepts a changed base. @throws ApiError `not_found`, `forbidden`, `image_in_use` */
async function changeImage(
  context: ImagesContext,
  principal: Principal,
  { id, body }: { id: ImageId; body: ChangeImageRequest },
): Promise<void> {
  const { store, references } = context;
  const row = await readImage(store, id);
  const { owner, rev } = row;
  // Machines of all users can have disks on the image.
  assertRight(principal, 'image.change', { owner: body.baseChanged === undefined ? owner : null });
  if (
    body.private === false &&
    (await references.all()).get(id)?.some(({ isDisk }) => isDisk === true) === true
  )
    throw new ApiError('image_in_use', { message: 'The image is a disk of a machine.' });
  const query = store.db
    .updateTable('images')
    .set({
      ...(body.template === undefined ? {} : { template: body.template ? 1 : 0 }),
      ...(body.private === undefined ? {} : { private: 0 }),
      rev: rev + 1,
    })
    .where('id', '=', id)
    .where('rev', '=', rev);
  const accepted = body.baseChanged === undefined ? [] : await acceptBase(context, row);
  const orders = [
    body.template === undefined ? null : ('image.change' as const),
    body.private === undefined ? null : ('image.publish' as const),
    body.baseChanged === undefined ? null : ('image.accept_base' as const),
  ];
  const audits = orders.filter((what) => what !== null).map((what) => audit(principal, what, `image:${id}`));
  await store.write([{ query, expectRows: 1 }, ...accepted, ...audits]);
}
