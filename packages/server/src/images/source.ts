import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import type { FileFacts } from '@wcc/copy';
import { join } from 'node:path';
import type { Principal } from '../access/principal.ts';
import type { ImagesContext } from './context.ts';
import { toRefusal } from '../operations/failure.ts';
import { refusalError } from './foreign/judge-file.ts';
import { baseNameOf, isDeclaredDisc, readImage } from './image-rows.ts';
import type { ImageRow } from './image-rows.ts';
import type { Pool } from './pool/pools.ts';
import { judgePath } from './scan/stat-entry.ts';
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
  { id, principal, signal }: { id: ImageId; principal: Principal; signal?: AbortSignal | undefined },
): Promise<Source> {
  await assertImageVisible(context, principal, id);
  const image = await readImage(context.store, id);
  const pool = await context.pools.use(image.poolId);
  const { format, state } = image;
  if (state !== 'ready' || format === null) {
    const why = state === 'missing' ? 'its file is missing' : `it was refused: ${image.stateReason ?? state}`;
    throw new ApiError('image_unavailable', { message: `The image cannot be used: ${why}.` });
  }
  await context.references.assertCurrent(id);
  const path = join(pool.path, image.name);
  const refuse = (error: unknown): never => {
    throw toRefusal(error, { sourcePath: path });
  };
  const facts = await context.looks.inspect(path, signal).catch(refuse);
  if (facts.inode !== image.inode) {
    const message = 'The file was replaced by another one since the last scan of the pool.';
    throw new ApiError('image_unavailable', { message, hint: 'Rescan the pool, then try again.' });
  }
  if (facts.writers === 'some') throw new ApiError('source_in_use');
  await assertFactsHold(context, { image, path, sizeBytes: facts.sizeBytes }).catch(refuse);
  return { image, format, pool, path, facts };
}

/**
 * Compares what is stored of an image with its header now, because the file may have changed since the last scan.
 * @throws ApiError `image_unavailable`, or why the content is refused now
 */
async function assertFactsHold(
  { store }: ImagesContext,
  { image, path, sizeBytes }: { image: ImageRow; path: string; sizeBytes: number },
): Promise<void> {
  const isFixed = image.format === 'raw' && image.fixedFormat === 1;
  const found = isFixed
    ? { format: 'raw' as const, virtualSizeBytes: sizeBytes }
    : await judgePath(path, { baseName: await baseNameOf(store, image) });
  if (found === 'busy') throw new ApiError('source_in_use');
  if ('refusal' in found) throw refusalError(found.refusal);
  const hasFormat = found.format === image.format || isDeclaredDisc(image, found.format);
  if (hasFormat && found.virtualSizeBytes === image.virtualSizeBytes) return;
  const message = 'The file has changed since the last scan of the pool.';
  throw new ApiError('image_unavailable', { message, hint: 'Rescan the pool, then try again.' });
}
