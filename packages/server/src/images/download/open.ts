import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImagesContext } from '../context.ts';
import { openSafely } from '../foreign/inspect.ts';
import { readImage } from '../image-rows.ts';

/** The open file of an image, with its state when it was opened. */
export interface OpenImage {
  file: FileHandle;
  name: string;
  sizeBytes: number;
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
  const file = await openSafely(join(pool.path, image.name)).catch((cause: unknown) => {
    throw cause instanceof ApiError ? cause : new ApiError('source_vanished', { cause });
  });
  const stat = await file.stat({ bigint: true });
  if (String(stat.ino) !== image.inode) {
    await file.close();
    const message = 'The file was replaced by another one since the last scan of the pool.';
    throw new ApiError('image_unavailable', { message, hint: 'Rescan the pool, then try again.' });
  }
  return { file, name: image.name, sizeBytes: Number(stat.size), etag: etagOf(stat), modifiedAt: stat.mtime };
}

function etagOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `"${[ino, size, mtimeNs].map((number) => number.toString(16)).join('-')}"`;
}

const chunkBytes = 1024 ** 2;

/**
 * The bytes from `start` up to `end`, in chunks of 1 MiB. The last chunk waits for a check that the file did not
 * change during the download: the download of a changed file is too short instead of looking complete.
 */
export async function* readImageBytes(
  { file, etag }: OpenImage,
  { start, end }: { start: number; end: number },
): AsyncGenerator<Buffer> {
  try {
    for (let at = start; at < end;) {
      const length = Math.min(chunkBytes, end - at);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new ApiError('source_changed', { message: 'The file became shorter.' });
      at += bytesRead;
      if (at >= end) await assertUnchanged(file, etag);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function assertUnchanged(file: FileHandle, etag: string): Promise<void> {
  if (etagOf(await file.stat({ bigint: true })) === etag) return;
  throw new ApiError('source_changed', { message: 'The file changed while it was downloaded.' });
}
