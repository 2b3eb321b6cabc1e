import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
export const ballastPieceBytes: number = mib;

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
    ftruncateSync(fd, Math.max(0, size - ballastPieceBytes));
    // Some file systems give blocks back only with their next commit.
    fsyncSync(fd);
    return true;
  } finally {
    closeSync(fd);
  }
}
