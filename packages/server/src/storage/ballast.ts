import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CopyError } from '@wcc/copy';
import { allocateSpace } from '@wcc/copy/receive';
import { isSpaceErrno } from './space.ts';

const ballastName = 'wcc.ballast';

/**
 * A file beside the database whose blocks belong to the database: when the disk is full, the database thread releases
 * them piece by piece. So another writer on the disk cannot take the space away that ends rights and deletes files.
 */
export function ballastPath(databasePath: string): string {
  return join(dirname(databasePath), ballastName);
}

/** Writes another file of the data directory; the ballast pays for it on a full disk. */
export async function withBallast<Result>(dataDir: string, write: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isSpaceErrno(error) || !releaseBallast(join(dataDir, ballastName))) throw error;
    }
  }
}

const mib = 1024 ** 2;
export const defaultBallastBytes: number = 64 * mib;
/** What one release frees. Small, because a hungry writer takes what the database does not use at once. */
const pieceBytes = mib;
/** At most this part of the file system. */
const maxPart = 20;

/** What the database can still release. */
export function ballastBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Frees one piece. False when nothing is left. */
export function releaseBallast(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch {
    return false;
  }
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return false;
    ftruncateSync(fd, Math.max(0, size - pieceBytes));
    // Some file systems give blocks back only with their next commit.
    fsyncSync(fd);
    return true;
  } finally {
    closeSync(fd);
  }
}

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
    const piece = randomBytes(pieceBytes);
    for (let done = 0; done < range.lengthBytes; done += pieceBytes)
      await writeAll(file, { piece, offset: range.offset + done });
  }
}

function wholePieces(bytes: number): number {
  return Math.floor(bytes / pieceBytes) * pieceBytes;
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
