import { closeSync, constants, openSync } from 'node:fs';
import type { CopyError, CopyErrorCode } from '../contract/errors.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';
import { removeFile } from '../storage/remove-file.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { setCheckpoint } from './sidecar.ts';

/** After these a later run can go on, when the caller asked to keep what there is. */
const transientCodes: ReadonlySet<CopyErrorCode> = new Set([
  'no_space',
  'quota',
  'io_error',
  'read_only',
  'resources',
  'busy',
]);

/** Leaves what can be resumed and removes the rest; returns the error the copy ends with. */
export function cleanUp(run: CopyRun, thrown: unknown): CopyError {
  const error = toCopyError(thrown, { path: showPath(run.request.destination) });
  if (error.code === 'partial_in_use') return error;
  if (run.published) {
    error.resumable = run.hasCheckpoint; // it has its name; the sidecar tells a later run so
    return error;
  }
  const mayKeep =
    error.code === 'interrupted' || (run.request.keepOnFailure && transientCodes.has(error.code));
  if (mayKeep && run.request.durable && keepPartial(run, error)) {
    error.resumable = true;
    return error;
  }
  // Before the partial is ours, what an earlier run left is touched only when nobody wants it any more.
  const isOurs = run.partial !== null;
  if (isOurs || (error.code !== 'interrupted' && !run.request.keepOnFailure) || error.code === 'cancelled') {
    removeAll(run);
  }
  return error;
}

/** Whether a partial with a checkpoint remains. An older checkpoint serves when a new one cannot be set. */
function keepPartial(run: CopyRun, error: CopyError): boolean {
  if (run.partial === null) return false;
  // Refused before the first byte: there is nothing worth keeping.
  if (run.copiedBytes === 0n && !run.hasCheckpoint && error.code !== 'interrupted') return false;
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
    // Closed first: the last reference gives the blocks back, and the next copy may want them at once.
    removeFile(partial);
    closeSync(run.partial.fd);
    run.partial = null;
  } else if (isLocked(run, partial)) {
    return; // another process is at it
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
    return false; // no partial, or one that only its owner may touch: removing it will tell
  }
  try {
    return !kernel.tryLock(fd);
  } finally {
    closeSync(fd);
  }
}
