import { chmodSync, constants, copyFileSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { adoptPartial, discardPartial, emptyPartial } from '../reserve/reserve.ts';
import { showPath } from '../storage/paths.ts';
import { beginPhase, withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

/** Errors of FICLONE that mean "cannot share blocks". Any other error is a failure of the copy. */
const refusals: Readonly<Record<string, string>> = {
  EOPNOTSUPP: 'file_system_unsupported',
  ENOTSUP: 'file_system_unsupported',
  ENOTTY: 'file_system_unsupported',
  ENOSYS: 'file_system_unsupported',
  EXDEV: 'other_file_system',
  EINVAL: 'refused_by_file_system',
  EPERM: 'refused_by_file_system',
  ETXTBSY: 'source_is_swap',
};

/** False if the caller requested new blocks, or if this run resumes an earlier copy. */
export function shouldClone(run: CopyRun): boolean {
  return run.request.method !== 'copy' && !run.resumed;
}

/** Shares the source's blocks with the partial. It is one kernel call, which cannot be cancelled. */
export function tryClone(run: CopyRun): void {
  beginPhase(run, 'clone');
  try {
    if (run.kernel === null) cloneByNode(run);
    else run.kernel.cloneFile(sourceOf(run).fd, partialOf(run).fd);
  } catch (error) {
    handleRefusal(run, error);
    return;
  }
  if (run.kernel === null) countByBlocks(run);
  run.facts.method = 'clone';
  run.copiedOffset = sourceOf(run).stat.size;
  run.copiedBytes = run.dataBytes;
  run.slot.set('shared', run.copiedBytes);
}

/**
 * Clones through Node, which creates the new file and removes it on failure. Opens the source through its
 * descriptor, so it clones the inspected file even if the path now names another one.
 */
function cloneByNode(run: CopyRun): void {
  discardPartial(run);
  const flags = constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL;
  copyFileSync(`/proc/self/fd/${sourceOf(run).fd}`, run.paths.partial, flags);
  chmodSync(run.paths.partial, 0o600); // the clone has the source's mode, which may be read-only
  adoptPartial(run);
}

/** Without kernel calls holes cannot be found, so the allocated blocks count as data. */
function countByBlocks(run: CopyRun): void {
  const { blocks, size } = sourceOf(run).stat;
  run.dataBytes = blocks * 512n < size ? blocks * 512n : size;
  run.facts.dataBytes = Number(run.dataBytes);
  run.slot.set('data', run.dataBytes);
  run.slot.set('skipped', size - run.dataBytes);
}

function handleRefusal(run: CopyRun, error: unknown): void {
  const path = showPath(run.request.destination);
  const reason = refusals[systemCode(error) ?? ''];
  if (reason === undefined) throw toCopyError(error, { path });
  if (run.request.method === 'clone')
    throw new CopyError('clone_unsupported', { path, detail: reason, cause: error });
  run.facts.cloneRefused = reason;
  withDestinationErrors(run, () => emptyPartial(run));
}
