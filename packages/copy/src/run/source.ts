import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { SourceIdentity } from '../contract/types.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';

/** A regular file open for reading, and its stat at that moment. */
export interface OpenSource {
  fd: number;
  stat: BigIntStats;
}

/** Never follows a symlink and never waits for the other end of a FIFO. */
const safeRead = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export function openSource(path: Uint8Array): OpenSource {
  const shown = showPath(path);
  let fd: number;
  try {
    fd = openSync(Buffer.from(path), safeRead);
  } catch (error) {
    throw toCopyError(error, { path: shown });
  }
  const stat = fstatSync(fd, { bigint: true });
  if (stat.isFile()) return { fd, stat };
  closeSync(fd);
  throw new CopyError('not_regular', { path: shown, detail: kindOf(stat) });
}

export function kindOf(stat: BigIntStats): string {
  if (stat.isDirectory()) return 'directory';
  if (stat.isFIFO()) return 'FIFO';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isSocket()) return 'socket';
  return stat.isBlockDevice() || stat.isCharacterDevice() ? 'device' : 'unknown kind';
}

export function identityOf({ ino, size, mtimeNs }: BigIntStats): SourceIdentity {
  return { inode: String(ino), size: String(size), mtimeNs: String(mtimeNs) };
}

export function isSameSource(a: SourceIdentity, b: SourceIdentity): boolean {
  return a.inode === b.inode && a.size === b.size && a.mtimeNs === b.mtimeNs;
}
