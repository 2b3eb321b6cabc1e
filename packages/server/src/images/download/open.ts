import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import type { FileIdentity } from '@wcc/copy';
import { identityOf } from '@wcc/copy/recovery';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImagesContext } from '../context.ts';
import { toRefusal } from '../../operations/failure.ts';
import { openSafely } from '../foreign/inspect.ts';
import { readImage } from '../image-rows.ts';

/** The open file of an image, with its state when it was opened. */
export interface OpenImage {
  file: FileHandle;
  id: ImageId;
  name: string;
  sizeBytes: number;
  /** The state of the file when it was opened. */
  identity: FileIdentity;
  /** A strong entity tag for this state of the file. */
  etag: string;
  modifiedAt: Date;
}

/** @throws ApiError `not_found`, `image_unavailable`; PoolError */
export async function openImage(context: ImagesContext, id: ImageId): Promise<OpenImage> {
  const image = await readImage(context.store, id);
  if (image.state !== 'ready') {
    const why = image.state === 'missing' ? 'its file is missing' : 'it was refused';
    throw new ApiError('image_unavailable', { message: `The image cannot be downloaded: ${why}.` });
  }
  const pool = await context.pools.use(image.poolId);
  await context.references.assertCurrent(id);
  const path = join(pool.path, image.name);
  const file = await openSafely(path).catch((cause: unknown) => {
    const refusal = toRefusal(cause, { sourcePath: path });
    throw refusal instanceof ApiError ? refusal : new ApiError('source_vanished', { cause });
  });
  const stat = await file.stat({ bigint: true });
  const identity = identityOf(stat);
  if (identity.inode !== image.inode) {
    await file.close();
    const message = 'The file was replaced by another one since the last scan of the pool.';
    throw new ApiError('image_unavailable', { message, hint: 'Rescan the pool, then try again.' });
  }
  const facts = { sizeBytes: Number(stat.size), etag: etagOf(identity), modifiedAt: stat.mtime };
  return { file, id, name: image.name, identity, ...facts };
}

function etagOf({ inode, size, mtimeNs, ctimeNs }: FileIdentity): string {
  return `"${[inode, size, mtimeNs, ctimeNs].map((number) => BigInt(number).toString(16)).join('-')}"`;
}
