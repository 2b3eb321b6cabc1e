import { closeSync, constants, openSync } from 'node:fs';
import type { CopyError, CopyErrorCode } from '../contract/errors.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';
import { removeFile } from '../storage/remove-file.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { setCheckpoint } from './sidecar.ts';

/** Temporary failures: `keepPartial` keeps the partial after them, because a later run may succeed. */
const transientCodes: ReadonlySet<CopyErrorCode> = new Set([
  'no_space',
  'quota',
  'io_error',
  'read_only',
  'resources',
  'busy',
]);

/**
 * Keeps files from which a later run can resume, and removes the others. Returns the error that the copy ends
 * with.
 */
export function cleanUp(run: CopyRun, thrown: unknown): CopyError {
  const error = toCopyError(thrown, { path: showPath(run.request.destination) });
  if (error.code === 'partial_in_use') return error;
  if (run.published) {
    error.resumable = run.hasCheckpoint; // the rename is done, and the sidecar records that for a later run
    return error;
  }
  const mayKeep = error.code === 'suspended' || (run.request.keepPartial && transientCodes.has(error.code));
  if (mayKeep && run.request.durable && keepPartial(run, error)) {
    error.resumable = true;
    return error;
  }
  // Keeps the unopened partial of an earlier run after a suspension or with `keepPartial`; removes it otherwise.
  const isOurs = run.partial !== null || run.request.continues !== null;
  if (isOurs || (error.code !== 'suspended' && !run.request.keepPartial) || error.code === 'cancelled') {
    removeAll(run);
  }
  return error;
}

/** Whether a partial with a checkpoint is kept. If no new checkpoint can be set, the previous one is used. */
function keepPartial(run: CopyRun, error: CopyError): boolean {
  // A copy that continues after a long pause has its checkpoint, also before it opens the partial again.
  if (run.partial === null) return run.request.continues !== null;
  // The copy was refused before its first byte, so there is nothing to keep.
  if (run.copiedBytes === 0n && !run.hasCheckpoint && error.code !== 'suspended') return false;
  if (!run.flushFailed && run.facts.method !== null) {
    try {
      setCheckpoint(run);
    } catch (failure) {
      error.cause ??= failure;
      removeFile(run.paths.sidecarTemporary);
    }
  }
  return run.hasCheckpoint;
}

function removeAll(run: CopyRun): void {
  const { partial, sidecar, sidecarTemporary } = run.paths;
  if (run.partial !== null) {
    // The last open descriptor holds the blocks, so it is closed here: the next copy may need the space at once.
    removeFile(partial);
    closeSync(run.partial.fd);
    run.partial = null;
  } else if (isLocked(run, partial)) {
    return; // another process is using it
  } else {
    removeFile(partial);
  }
  removeFile(sidecar);
  removeFile(sidecarTemporary);
}

function isLocked({ kernel }: CopyRun, partial: Buffer): boolean {
  if (kernel === null) return false;
  let fd: number;
  try {
    fd = openSync(partial, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false; // no partial, or no permission: the removal fails then
  }
  try {
    return !kernel.tryLock(fd);
  } finally {
    closeSync(fd);
  }
}
