import { linkSync, renameSync, unlinkSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { statIfExists } from '../inspect/inspect.ts';
import { systemCode } from '../kernel/errno.ts';
import type { CopyRequest } from '../contract/messages.ts';
import type { Kernel } from '../kernel/calls.ts';
import { showPath } from '../storage/paths.ts';
import type { HiddenPaths } from '../storage/paths.ts';

/** Errors of file systems without RENAME_NOREPLACE or hard links. */
const unsupportedCodes: ReadonlySet<string> = new Set([
  'EINVAL',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUP',
  'EPERM',
  'EMLINK',
]);

/** The fields of a copy or received file that the rename needs. */
export interface Rename {
  readonly paths: Pick<HiddenPaths, 'partial'>;
  readonly request: Pick<CopyRequest, 'destination' | 'overwrite'>;
  readonly kernel: Pick<Kernel, 'renameNoReplace'> | null;
  readonly warnings: string[];
}

/** Renames the partial to its final name. Without `overwrite`, a file that has taken the name is never replaced. */
export function renameIntoPlace(run: Rename): void {
  const { partial } = run.paths;
  const target = Buffer.from(run.request.destination);
  if (run.request.overwrite) {
    renameSync(partial, target);
    return;
  }
  const rename = run.kernel?.renameNoReplace;
  if (rename && attempt(() => rename(partial, target))) return;
  if (attempt(() => linkSync(partial, target))) {
    unlinkSync(partial);
    return;
  }
  // Neither call works (vfat, some file systems in user space), so check for the name before the rename.
  if (statIfExists(target) !== null) throw new CopyError('exists', { path: showPath(target) });
  renameSync(partial, target);
  run.warnings.push('published_without_exclusive_rename');
}

function attempt(step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (unsupportedCodes.has(systemCode(error) ?? '')) return false;
    throw error;
  }
}
