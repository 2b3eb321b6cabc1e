import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { CopyError } from '@wcc/copy';
import { allocateSpace } from '@wcc/copy/receive';
import { ballastPieceBytes, defaultBallastBytes } from './ballast.ts';
import { isSpaceErrno } from './space.ts';

// Apart from `ballast.ts`, because the database thread must not load the copy engine to release the ballast.

/** At most this part of the file system. */
const maxPart = 20;

/**
 * Makes the file, or makes it whole again. After a release it waits until twice its target is free, so that it does not
 * take the space back that was just freed.
 *
 * @param options.isStart uses at most a quarter of the free space instead of waiting
 * @returns the size that this file system gets
 */
export async function fillBallast(path: string, { isStart }: { isStart: boolean }): Promise<number> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    const { size } = await file.stat();
    const { bavail, blocks, bsize } = await statfs(path);
    const targetBytes = Math.min(defaultBallastBytes, wholePieces((blocks * bsize) / maxPart));
    const freeBytes = bavail * bsize;
    const missing = targetBytes - size;
    const growBy = isStart ? Math.min(missing, wholePieces(freeBytes / 4)) : missing;
    const mayGrow = isStart || freeBytes >= 2 * targetBytes;
    if (growBy > 0 && mayGrow) await grow(file, { offset: size, lengthBytes: growBy });
    return targetBytes;
  } finally {
    await file.close();
  }
}

async function grow(file: FileHandle, range: { offset: number; lengthBytes: number }): Promise<void> {
  try {
    await allocate(file, range);
    await file.sync();
  } catch (error) {
    // A file that is longer than its blocks would release nothing.
    await file.truncate(range.offset);
    if (!isSpaceErrno(error)) throw error;
  }
}

async function allocate(file: FileHandle, range: { offset: number; lengthBytes: number }): Promise<void> {
  try {
    allocateSpace(file.fd, range);
  } catch (error) {
    if (!(error instanceof CopyError) || error.code !== 'unsupported') throw error;
    // Random, so that no file system compresses them.
    const piece = randomBytes(ballastPieceBytes);
    for (let done = 0; done < range.lengthBytes; done += ballastPieceBytes)
      await writeAll(file, { piece, offset: range.offset + done });
  }
}

function wholePieces(bytes: number): number {
  return Math.floor(bytes / ballastPieceBytes) * ballastPieceBytes;
}

async function writeAll(
  file: FileHandle,
  { piece, offset }: { piece: Uint8Array; offset: number },
): Promise<void> {
  for (let done = 0; done < piece.length;) {
    const { bytesWritten } = await file.write(piece, done, piece.length - done, offset + done);
    done += bytesWritten;
  }
}
