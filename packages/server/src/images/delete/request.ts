import { ApiError } from '@wcc/api';
import type { ImageId, ImageUser } from '@wcc/api';
import { inspectFile } from '@wcc/copy';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { join } from 'node:path';
import { assertRight } from '../../access/rules.ts';
import type { Principal } from '../../access/principal.ts';
import type { OperationRequest } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { ImagesContext } from '../context.ts';
import { toRefusal } from '../../operations/failure.ts';
import { exclusively } from '../use.ts';
import type { Acceptance } from '../../operations/accept.ts';
import { readImage } from '../image-rows.ts';
import type { ImageRow } from '../image-rows.ts';
import { measureFreeSpace } from '../space/free-space.ts';
import { statEntry } from '../scan/stat-entry.ts';
import { deleteAction } from './input.ts';
import type { DeleteInput } from './input.ts';
import { assertImageVisible, visibleImages } from '../references.ts';

/**
 * @throws ApiError `not_found`, `forbidden`, `image_protected`, `image_in_use` with the users, `image_unavailable`
 */
export async function requestDeletion(
  context: ImagesContext,
  { principal, request, idempotencyKey, retryOf }: OperationRequest<DeleteInput['request']>,
): Promise<Snapshot> {
  const { id: imageId } = request;
  const route = routeOf(`DELETE /api/images/${imageId}`, retryOf);
  const key = { userId: principal.userId, route, key: idempotencyKey, body: {} };
  return context.operations.idempotency.once(key, async (remember) => {
    await assertImageVisible(context, principal, imageId);
    const image = await readImage(context.store, imageId);
    assertRight(principal, 'image.delete', { owner: image.owner });
    const pool = await context.pools.use(image.poolId);
    const { fileSystemKey } = await measureFreeSpace(context, pool);
    // In one critical section with the acceptance, so that no operation or machine starts to use the image in
    // between.
    return context.fileSystemMutex(fileSystemKey)(async () => {
      // Decides again below. Here, a user of the image is a better reason than the state of its file.
      await assertUnused(context, principal, imageId);
      const file = await readFile(image, join(pool.path, image.name));
      const id = createOperationId();
      const poolId = pool.id;
      const input: DeleteInput = { poolId, sourceId: imageId, sourceName: image.name, file, request };
      const acceptance: Acceptance = {
        id,
        action: deleteAction,
        principal,
        subject: { kind: 'image', id: imageId, name: image.name },
        target: null,
        input,
        // The name stays reserved until the file is gone; the name of a missing image is already free.
        names: image.state === 'missing' ? [] : [image.name],
        reservedBytes: 0,
        retryOf,
        statements: remember(id),
      };
      return exclusively(context, [imageId], async () => {
        await assertUnused(context, principal, imageId);
        return context.operations.accept(acceptance);
      });
    });
  });
}

/** @throws ApiError `image_protected`, `image_in_use` */
async function assertUnused(context: ImagesContext, principal: Principal, imageId: ImageId): Promise<void> {
  // Reads the row again, because the image may have become a template while the request waited.
  const { template } = await readImage(context.store, imageId);
  if (template === 1) throw new ApiError('image_protected');
  const found = (await context.references.all()).get(imageId) ?? [];
  if (found.length === 0) return;
  const seen = (await visibleImages(context, principal)).usersOf(imageId);
  throw new ApiError('image_in_use', { message: `In use by ${nameAll(seen, found.length)}.` });
}

const maxNamed = 3;

function nameAll(seen: readonly ImageUser[], count: number): string {
  const words = { vm: 'machine', image: 'image', operation: 'operation' } as const;
  if (seen.length === 0) return 'something of another user';
  const names = seen.slice(0, maxNamed).map(({ kind, name }) => `${words[kind]} ${name}`);
  const more = count - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

/** The file of the record, never one that replaced it. */
async function readFile(image: ImageRow, path: string): Promise<DeleteInput['file']> {
  const entry = await statEntry(path, image.name);
  if (image.state === 'missing' || entry === null) return null;
  if (entry.kind !== 'file') {
    const message = `This is a ${entry.kind}: wcc did not create it and does not delete it.`;
    throw new ApiError('image_unavailable', { message, hint: 'Remove it manually, then rescan the pool.' });
  }
  if (entry.inode !== image.inode) {
    const message = 'The file was replaced by another one since the last scan of the pool.';
    throw new ApiError('image_unavailable', { message, hint: 'Rescan the pool, then try again.' });
  }
  const facts = await inspectFile(path, { headBytes: 0, extents: 'skip' }).catch((error: unknown) => {
    throw toRefusal(error, { sourcePath: path });
  });
  if (facts.writers === 'some')
    throw new ApiError('image_in_use', { message: 'In use by a program that has it open for writing.' });
  return { inode: entry.inode, sizeBytes: entry.sizeBytes };
}
