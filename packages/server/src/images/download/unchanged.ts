import { ApiError } from '@wcc/api';
import { compareIdentity, identityOf } from '@wcc/copy/recovery';
import type { FileHandle } from 'node:fs/promises';
import type { Checksum } from './checksum.ts';
import type { OpenImage } from './open.ts';

/** `end` is exclusive. */
export interface Range {
  start: number;
  end: number;
}

/** The bytes that were read from a part of an image. */
export interface ReadPart {
  range: Range;
  sum: Checksum;
  /** Starts another checksum that can be compared with `sum`. */
  startSum: () => Checksum;
}

const chunkBytes = 512 * 1024;
/** A file whose change time moves again and again is being written to. */
const maxComparisons = 3;

/**
 * Where only the change time differs, the file may have been renamed or deleted, or written to and dated back. So it is
 * read again and compared with the bytes that were read before.
 *
 * @throws ApiError `source_changed`
 */
export async function assertUnchanged(
  { file, identity }: Pick<OpenImage, 'file' | 'identity'>,
  { range, sum, startSum }: ReadPart,
): Promise<void> {
  let before = identity;
  let digest: Buffer | null = null;
  for (let comparison = 0; comparison <= maxComparisons; comparison += 1) {
    const now = identityOf(await file.stat({ bigint: true }));
    const difference = compareIdentity(before, now);
    if (difference === 'same') return;
    if (difference === 'changed') break;
    digest ??= sum.digest();
    if (!digest.equals(await digestOf(file, range, startSum()))) break;
    before = now;
  }
  throw new ApiError('source_changed', { message: 'The file changed while it was downloaded.' });
}

async function digestOf(file: FileHandle, { start, end }: Range, sum: Checksum): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, end - start));
  for (let at = start; at < end;) {
    const bytes = await readBytes(file, buffer, { start: at, end });
    at += bytes.length;
    sum.add(bytes);
  }
  return sum.digest();
}

/** Reads from the start of the range. @throws ApiError `source_changed` at the end of the file */
export async function readBytes(file: FileHandle, buffer: Buffer, { start, end }: Range): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - start), start);
  if (bytesRead === 0) throw new ApiError('source_changed', { message: 'The file became shorter.' });
  return buffer.subarray(0, bytesRead);
}
