import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { StoredIdentity } from '../contract/checkpoint.ts';
import type { FileIdentity } from '../contract/types.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
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
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) throw new CopyError('not_regular', { path: shown, detail: kindOf(stat) });
    assertTrueSize({ fd, stat }, shown);
    return { fd, stat };
  } catch (error) {
    closeSync(fd);
    throw toCopyError(error, { path: shown });
  }
}

/**
 * Rejects a file whose size is not the length of its content, as in /proc (size 0) and /sys (size 4096): a copy of
 * the reported size would be empty or cut, and still look complete.
 */
export function assertTrueSize({ fd, stat }: OpenSource, path: string): void {
  const isLonger = hasByteAt(fd, stat.size);
  // Only a file without blocks can be shorter. One of zero blocks with the right size is a single hole.
  const isShorter = stat.blocks === 0n && stat.size > 0n && !hasByteAt(fd, stat.size - 1n);
  if (!isLonger && !isShorter) return;
  // A program that changes the size now is no reason to refuse: the copy detects the change at its end.
  if (fstatSync(fd, { bigint: true }).size !== stat.size) return;
  throw new CopyError('size_unknown', { path, detail: `its content does not have ${stat.size} bytes` });
}

function hasByteAt(fd: number, offset: bigint): boolean {
  try {
    return readSync(fd, Buffer.alloc(1), 0, 1, offset) > 0;
  } catch (error) {
    // A stream such as /proc/kmsg has nothing to read now, but is not empty.
    if (systemCode(error) === 'EAGAIN') return true;
    throw error;
  }
}

export function kindOf(stat: BigIntStats): string {
  if (stat.isDirectory()) return 'directory';
  if (stat.isFIFO()) return 'FIFO';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isSocket()) return 'socket';
  return stat.isBlockDevice() || stat.isCharacterDevice() ? 'device' : 'unknown kind';
}

/** The state of a file, by which a later run sees whether it changed. The numbers are decimal strings. */
export function identityOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): FileIdentity {
  return { inode: String(ino), size: String(size), mtimeNs: String(mtimeNs), ctimeNs: String(ctimeNs) };
}

/**
 * Compares two states of a file.
 * - `same`: nothing was written in between.
 * - `touched`: only the change time differs or is unknown, so the content may differ.
 * - `changed`: it is another file, or it was written to.
 */
export function compareIdentity(a: StoredIdentity, b: FileIdentity): 'same' | 'touched' | 'changed' {
  if (a.inode !== b.inode || a.size !== b.size || a.mtimeNs !== b.mtimeNs) return 'changed';
  return a.ctimeNs === b.ctimeNs ? 'same' : 'touched';
}
