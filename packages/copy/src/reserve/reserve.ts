import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { CopyErrorCode } from '../contract/errors.ts';
import { compareIdentity, identityOf } from '../run/source.ts';
import { findDifference } from '../inspect/compare-content.ts';
import { throwIfStopped } from '../run/control.ts';
import type { Kernel } from '../kernel/calls.ts';
import { systemCode } from '../kernel/errno.ts';
import { unpackTarget } from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { removeFile } from '../storage/remove-file.ts';
import { readSidecar } from '../resume/sidecar.ts';
import type { SidecarContent } from '../resume/sidecar.ts';
import { hiddenPaths, showPath, splitPath } from '../storage/paths.ts';
import { beginPhase, extentsOf, withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun, OpenPartial } from '../run/copy-state.ts';

const reopenFlags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Creates the hidden partial, or reopens the one of an earlier run. */
export function reserve(run: CopyRun): void {
  beginPhase(run, 'reserve');
  assertSizeAllowed(run);
  withDestinationErrors(run, () => {
    if (reopenPartial(run, readSidecar(run.paths.sidecar))) return;
    assertNotContinued(run, 'not_found', 'the partial file is gone');
    removeFile(run.paths.sidecar);
    run.partial = openPartial(run, createFlags);
    setSize(run, sourceOf(run).stat.size);
  });
}

/** Opens the partial of an earlier run; false if there is none that can be resumed. */
function reopenPartial(run: CopyRun, sidecar: SidecarContent): boolean {
  let old: OpenPartial;
  try {
    old = openPartial(run, reopenFlags);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  const { checkpoint } = sidecar;
  // From here on, a failure closes the partial, and keeps it if it may be resumed.
  run.partial = old;
  run.hasCheckpoint = checkpoint !== null;
  const reason = whyNotResumable(run, sidecar, old);
  if (reason !== null || checkpoint === null) {
    assertNotContinued(run, reason === 'source_changed' ? reason : 'destination_changed', reason);
    run.facts.restartedBecause = reason;
    discardPartial(run);
    run.hasCheckpoint = false;
    return false;
  }
  continueFrom(run, checkpoint);
  return true;
}

/**
 * A copy that continues after a long pause has reported its progress, so it never begins again.
 *
 * @throws CopyError if it was parked
 */
function assertNotContinued({ request }: CopyRun, code: CopyErrorCode, detail: string | null): void {
  if (request.continues === null) return;
  const path = showPath(code === 'source_changed' ? request.source : request.destination);
  throw new CopyError(code, { path, ...(detail === null ? {} : { detail }) });
}

function whyNotResumable(
  run: CopyRun,
  { checkpoint, isNewer }: SidecarContent,
  partial: OpenPartial,
): string | null {
  const isAsked = run.request.resume && run.request.durable;
  if (!isAsked && run.request.continues === null) return 'not_asked';
  if (isNewer) return 'newer_checkpoint';
  if (checkpoint === null || checkpoint.operation !== run.request.id) return 'no_checkpoint';
  if (!unpackTarget(checkpoint.target).equals(run.targetName)) return 'other_destination';
  if (checkpoint.partialInode !== String(partial.inode)) return 'partial_replaced';
  const likeness = compareIdentity(checkpoint.source, identityOf(sourceOf(run).stat));
  if (likeness === 'changed') return 'source_changed';
  if (run.request.method === 'copy' && checkpoint.method === 'clone') return 'other_method';
  if (fstatSync(partial.fd).size < Number(checkpoint.offset)) return 'partial_cut';
  if (likeness === 'touched' && !isPrefix(run, BigInt(checkpoint.offset))) return 'source_changed';
  return null;
}

/** Whether the bytes before the offset are those of the source. Needed where its identity does not prove that. */
function isPrefix(run: CopyRun, end: bigint): boolean {
  const onPiece = (): void => {
    run.slot.touch();
    throwIfStopped(run);
  };
  return findDifference(run, { extents: extentsOf(run), end, onPiece }) === null;
}

function continueFrom(run: CopyRun, checkpoint: Checkpoint): void {
  const offset = BigInt(checkpoint.offset);
  run.copiedOffset = offset;
  run.copiedBytes = extentsOf(run).bytesBefore(offset);
  run.writtenBytes = BigInt(checkpoint.writtenBytes);
  run.facts.method = checkpoint.method;
  run.resumed = true;
  if (run.request.continues === null) run.facts.resumedAtBytes = Number(run.copiedBytes);
  run.slot.set('written', run.writtenBytes);
  // Bytes after the checkpoint may be incomplete, so they are cut off.
  if (checkpoint.method !== 'clone') setSize(run, offset);
  setSize(run, sourceOf(run).stat.size);
}

/** Opens and locks the partial. A process keeps its lock until it ends. */
function openPartial(run: CopyRun, flags: number): OpenPartial {
  const fd = openSync(run.paths.partial, flags, 0o600);
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) throw new CopyError('not_regular', { path: shownPartial(run) });
    if (run.kernel !== null && !lockPartial(run.kernel, fd)) {
      throw new CopyError('partial_in_use', { path: shownPartial(run) });
    }
    return { fd, inode: stat.ino };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function shownPartial({ request }: CopyRun): string {
  return showPath(hiddenPaths(splitPath(request.destination).directory, request.id).partial);
}

/**
 * Also true, without a lock, on file systems that do not support locks, such as some network file systems.
 */
function lockPartial(kernel: Kernel, fd: number): boolean {
  try {
    return kernel.tryLock(fd);
  } catch {
    return true;
  }
}

/**
 * Resets the partial to one hole, and creates it again if a step has discarded it. Truncates it only if it has
 * blocks, because ext4 flushes a file on close that was once truncated to zero.
 */
export function emptyPartial(run: CopyRun): void {
  if (run.partial === null) run.partial = openPartial(run, createFlags);
  else if (fstatSync(run.partial.fd, { bigint: true }).blocks > 0n) setSize(run, 0n);
  setSize(run, sourceOf(run).stat.size);
}

/** Opens the partial that a step has created under its name. */
export function adoptPartial(run: CopyRun): void {
  run.partial = openPartial(run, reopenFlags);
}

/**
 * Closes the partial and opens it again. Network file systems write back at a close, and report what failed there;
 * after the publication, that would be too late. A durable copy has flushed its partial instead.
 */
export function settlePartial(run: CopyRun): void {
  withDestinationErrors(run, () => {
    closeSync(partialOf(run).fd);
    run.partial = null;
    adoptPartial(run);
  });
}

/** Closes and removes the partial, so that a step can create it itself. */
export function discardPartial(run: CopyRun): void {
  closeSync(partialOf(run).fd);
  run.partial = null;
  removeFile(run.paths.partial);
}

export function setSize(run: CopyRun, sizeBytes: bigint): void {
  const { fd } = partialOf(run);
  if (run.kernel === null) ftruncateSync(fd, Number(sizeBytes));
  else run.kernel.truncate(fd, sizeBytes);
}

/**
 * Checks the process's file size limit, because a write beyond it raises SIGXFSZ, which ends Node. Without kernel
 * calls, offsets beyond 2^53 cannot be written.
 */
function assertSizeAllowed(run: CopyRun): void {
  const { size } = sourceOf(run).stat;
  const path = showPath(run.request.destination);
  if (run.kernel === null && size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new CopyError('too_large', { path, detail: 'more than 2^53 bytes need kernel calls' });
  }
  const limit = readFileSizeLimit();
  if (limit !== null && size > limit)
    throw new CopyError('too_large', { path, detail: `the limit is ${limit} bytes` });
}

function readFileSizeLimit(): bigint | null {
  try {
    const [, soft] = /^Max file size\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? null : BigInt(soft);
  } catch {
    return null; // no /proc: a write reports the error
  }
}
