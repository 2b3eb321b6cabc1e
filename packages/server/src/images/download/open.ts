import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import type { FileIdentity } from '@wcc/copy';
import { compareIdentity, identityOf } from '@wcc/copy/recovery';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
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

const chunkBytes = 1024 ** 2;

/**
 * The bytes from `start` up to `end`, in chunks of 1 MiB. The last chunk waits for a check that the file did not
 * change during the download: the download of a changed file is too short instead of looking complete.
 */
export async function* readImageBytes(
  { file, identity }: OpenImage,
  { start, end }: Range,
): AsyncGenerator<Buffer> {
  let sent = 0;
  try {
    for (let at = start; at < end;) {
      const chunk = await readChunk(file, at, end);
      at += chunk.length;
      sent = crc32(chunk, sent);
      if (at >= end) await assertUnchanged(file, { identity, range: { start, end }, sent });
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

/** `end` is exclusive. */
interface Range {
  start: number;
  end: number;
}

async function readChunk(file: FileHandle, at: number, end: number): Promise<Buffer> {
  const length = Math.min(chunkBytes, end - at);
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
  if (bytesRead === 0) throw new ApiError('source_changed', { message: 'The file became shorter.' });
  return buffer.subarray(0, bytesRead);
}

/** A file whose change time moves again and again is being written to. */
const maxComparisons = 3;

/**
 * Where only the change time differs, the file may have been renamed or deleted, or written to and dated back. So it is
 * read again and compared with what was sent.
 */
async function assertUnchanged(
  file: FileHandle,
  { identity, range, sent }: { identity: FileIdentity; range: Range; sent: number },
): Promise<void> {
  let before = identity;
  for (let comparison = 0; comparison <= maxComparisons; comparison += 1) {
    const now = identityOf(await file.stat({ bigint: true }));
    const difference = compareIdentity(before, now);
    if (difference === 'same') return;
    if (difference === 'changed' || (await checksumOf(file, range)) !== sent) break;
    before = now;
  }
  throw new ApiError('source_changed', { message: 'The file changed while it was downloaded.' });
}

async function checksumOf(file: FileHandle, { start, end }: Range): Promise<number> {
  let sum = 0;
  for (let at = start; at < end;) {
    const chunk = await readChunk(file, at, end);
    at += chunk.length;
    sum = crc32(chunk, sum);
  }
  return sum;
}
