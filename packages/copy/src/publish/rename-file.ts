import { unlinkSync } from 'node:fs';
import type { PathLike } from '../contract/types.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath, toPathBytes } from '../storage/paths.ts';
import { renameExclusively } from '../storage/rename-exclusively.ts';

/**
 * Renames a file, and never replaces another one: by `renameat2`, else by a hard link. Where the file system has
 * neither, it looks for the name first, and returns the warning `published_without_exclusive_rename`. The names are
 * durable after {@link syncDirectory}.
 *
 * @throws CopyError `exists` if the new name is taken
 */
export function renameFile(from: PathLike, to: PathLike): { warnings: string[] } {
  const paths = { from: toPathBytes(from, 'from'), to: toPathBytes(to, 'to') };
  const warnings: string[] = [];
  try {
    if (renameExclusively({ ...paths, kernel: loadKernel(), warnings }) === 'linked') unlinkSync(paths.from);
  } catch (error) {
    throw toCopyError(error, { path: showPath(paths.to) });
  }
  return { warnings };
}
