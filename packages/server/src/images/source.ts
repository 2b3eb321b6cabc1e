import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import { inspectFile } from '@wcc/copy';
import type { FileFacts } from '@wcc/copy';
import { join } from 'node:path';
import type { Principal } from '../access/principal.ts';
import type { ImagesContext } from './context.ts';
import { toRefusal } from '../operations/failure.ts';
import { readImage } from './image-rows.ts';
import type { ImageRow } from './image-rows.ts';
import type { Pool } from './pool/pools.ts';
import { assertImageVisible } from './references.ts';

/** The source image of an operation, with the facts of its file. */
export interface Source {
  image: ImageRow;
  format: NonNullable<ImageRow['format']>;
  pool: Pool;
  path: string;
  facts: FileFacts;
}

/**
 * The only way to read an image, for a first request and for a retry. It checks the rights of the current principal.
 *
 * @throws ApiError `not_found`, also for an image that the principal may not see, `image_unavailable`,
 * `source_vanished`, `source_in_use`, …; PoolError
 */
export async function readSource(
  context: ImagesContext,
  { id, principal }: { id: ImageId; principal: Principal },
): Promise<Source> {
  await assertImageVisible(context, principal, id);
  const image = await readImage(context.store, id);
  const pool = await context.pools.use(image.poolId);
  const { format, state } = image;
  if (state !== 'ready' || format === null) {
    const why = state === 'missing' ? 'its file is missing' : `it was refused: ${image.stateReason ?? state}`;
    throw new ApiError('image_unavailable', { message: `The image cannot be used: ${why}.` });
  }
  const path = join(pool.path, image.name);
  const facts = await inspectFile(path, { headBytes: 0 }).catch((error: unknown) => {
    throw toRefusal(error, { sourcePath: path });
  });
  if (facts.inode !== image.inode) {
    const message = 'The file was replaced by another one since the last scan of the pool.';
    throw new ApiError('image_unavailable', { message, hint: 'Rescan the pool, then try again.' });
  }
  if (facts.writers === 'some') throw new ApiError('source_in_use');
  return { image, format, pool, path, facts };
}
