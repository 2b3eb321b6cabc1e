import { statfsSync } from 'node:fs';
import type { CopyMethod } from '../contract/types.ts';
import { emptyPartial } from '../reserve/reserve.ts';
import { withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

/**
 * Chooses how to copy the bytes. On XFS and btrfs, `copy_file_range` silently shares blocks, so the result would not
 * be a copy. If sharing works but was not requested, or was refused for this file, the copy reads and writes bytes.
 */
export function chooseMethod(run: CopyRun): CopyMethod {
  if (run.kernel === null) return 'read-write';
  if (run.resumed && run.facts.method !== null) return run.facts.method;
  const refused = run.facts.cloneRefused;
  if (refused === 'file_system_unsupported' || refused === 'other_file_system') return 'kernel-copy';
  if (refused !== null) return 'read-write';
  return sharesBlocks(run) ? 'read-write' : 'kernel-copy';
}

/** Tries to share the first block. The name of the file system is not enough, because XFS may lack reflink. */
function sharesBlocks(run: CopyRun): boolean {
  const { kernel } = run;
  const { fd, stat } = sourceOf(run);
  if (kernel === null || stat.size === 0n) return false;
  const { bsize } = statfsSync(run.paths.directory);
  const lengthBytes = stat.size < BigInt(bsize) ? Number(stat.size) : bsize;
  try {
    kernel.cloneRange(fd, { fd: partialOf(run).fd, offset: 0n, lengthBytes });
  } catch {
    return false; // any error means that blocks are not shared
  }
  withDestinationErrors(run, () => emptyPartial(run));
  return true;
}
