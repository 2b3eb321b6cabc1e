import { statfsSync } from 'node:fs';
import type { CopyMethod } from '../contract/types.ts';
import { emptyPartial } from '../reserve/reserve.ts';
import { withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

/**
 * How the bytes are to come over. On XFS and btrfs copy_file_range shares blocks by itself, so that "copied"
 * would be a lie: where sharing works and was not asked for, or was refused for this very file, bytes are
 * read and written.
 */
export function chooseMethod(run: CopyRun): CopyMethod {
  if (run.kernel === null) return 'read-write';
  if (run.facts.resumedAtBytes !== null && run.facts.method !== null) return run.facts.method;
  const refused = run.facts.cloneRefused;
  if (refused === 'file_system_unsupported' || refused === 'other_file_system') return 'kernel-copy';
  if (refused !== null) return 'read-write';
  return sharesBlocks(run) ? 'read-write' : 'kernel-copy';
}

/** A trial on the first block tells more than the name of the file system: XFS may be made without reflink. */
function sharesBlocks(run: CopyRun): boolean {
  const { kernel } = run;
  const { fd, stat } = sourceOf(run);
  if (kernel === null || stat.size === 0n) return false;
  const { bsize } = statfsSync(run.directory);
  const lengthBytes = stat.size < BigInt(bsize) ? Number(stat.size) : bsize;
  try {
    kernel.cloneRange(fd, { fd: partialOf(run).fd, offset: 0n, lengthBytes });
  } catch {
    return false; // whatever it says, it does not share
  }
  withDestinationErrors(run, () => emptyPartial(run));
  return true;
}
