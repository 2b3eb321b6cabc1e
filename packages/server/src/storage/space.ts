import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from '../files/errors.ts';

const spaceCodes: ReadonlySet<string | null> = new Set(['ENOSPC', 'EDQUOT', 'no_space', 'quota']);

/** True for an error of a file or of the copy engine that a full disk or a quota caused. */
export function isSpaceErrno(error: unknown): boolean {
  return spaceCodes.has(errnoOf(error));
}

/** Space that an ordinary user can use on the disk of the file; null if the disk does not say. */
export function freeBytesAt(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** A write of the index of the write-ahead log needs this. */
const probeBytes = 64 * 1024;

/** Tries a small file beside the database: SQLite reports a quota as an input/output error. */
export function hasNoSpace(databasePath: string): boolean {
  const probe = join(dirname(databasePath), 'wcc.probe');
  let fd: number | null = null;
  try {
    fd = openSync(probe, 'w', 0o600);
    const bytes = Buffer.alloc(probeBytes);
    return writeSync(fd, bytes) < bytes.length;
  } catch (error) {
    return isSpaceErrno(error);
  } finally {
    if (fd !== null) closeSync(fd);
    rmSync(probe, { force: true });
  }
}
