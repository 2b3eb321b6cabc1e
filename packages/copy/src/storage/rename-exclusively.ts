import { linkSync, lstatSync, renameSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { Kernel } from '../kernel/calls.ts';
import { systemCode } from '../kernel/errno.ts';
import { showPath } from './paths.ts';

/** Errors of file systems without RENAME_NOREPLACE or hard links. */
const refusals: ReadonlySet<string> = new Set([
  'EINVAL',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUP',
  'EPERM',
  'EMLINK',
]);

export interface ExclusiveRename {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly kernel: Pick<Kernel, 'renameNoReplace'> | null;
  /** Gets `published_without_exclusive_rename` once, if nothing better than a look for the name is possible. */
  readonly warnings: string[];
  /** Inode of a regular file, so that an earlier call that renamed it counts. @default the inode of `from` now */
  readonly inode?: bigint;
}

/**
 * Gives a file or directory a new name, and never replaces anything: by `renameat2`, else a file by a hard link. Where
 * the file system has neither, it looks for the name first. With the result `linked` a file still has its old name,
 * which the caller removes.
 *
 * @throws CopyError `exists`, or the error of the call
 */
export function renameExclusively(rename: ExclusiveRename): 'renamed' | 'linked' {
  const { from, to } = rename;
  const stat = rename.inode === undefined ? lstatSync(from, { bigint: true }) : null;
  const inode = stat?.ino ?? rename.inode;
  try {
    return tryRename(rename, stat?.isDirectory() === true);
  } catch (error) {
    // A network file system may repeat a request whose answer was lost, and then reports that it was impossible.
    const target = statIfReadable(to);
    if (target === undefined || target.ino !== inode) throw error;
    // Another file system numbers its own inodes.
    if (stat !== null && target.dev !== stat.dev) throw error;
    return statIfReadable(from) === undefined ? 'renamed' : 'linked';
  }
}

function tryRename(
  { from, to, kernel, warnings }: ExclusiveRename,
  isDirectory: boolean,
): 'renamed' | 'linked' {
  const renameNoReplace = kernel?.renameNoReplace;
  if (renameNoReplace && attempt(() => renameNoReplace(from, to))) return 'renamed';
  if (!isDirectory && attempt(() => linkSync(from, to))) return 'linked';
  // Neither call works (FUSE, some file systems on a network), so check for the name before the rename.
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined)
    throw new CopyError('exists', { path: showPath(to) });
  renameSync(from, to);
  // Between the check and the rename, a directory can replace an empty directory only.
  const isReported = warnings.includes('published_without_exclusive_rename');
  if (!isDirectory && !isReported) warnings.push('published_without_exclusive_rename');
  return 'renamed';
}

function attempt(step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (refusals.has(systemCode(error) ?? '')) return false;
    throw error;
  }
}

function statIfReadable(path: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined; // then the first error counts
  }
}
