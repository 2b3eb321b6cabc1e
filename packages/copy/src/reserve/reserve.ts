import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { countExtents } from '../inspect/extents.ts';
import { extentSource } from '../inspect/inspect.ts';
import { identityOf, isSameSource } from '../run/source.ts';
import type { Kernel } from '../kernel/calls.ts';
import { systemCode } from '../kernel/errno.ts';
import { unpackTarget } from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { removeFile } from '../storage/remove-file.ts';
import { readSidecar } from '../resume/sidecar.ts';
import type { SidecarContent } from '../resume/sidecar.ts';
import { showPath } from '../storage/paths.ts';
import { throwIfStopped } from '../run/control.ts';
import { beginPhase, withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun, OpenPartial } from '../run/copy-state.ts';

const reopenFlags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Creates the hidden partial, or reopens the one of an earlier run. */
export function reserve(run: CopyRun): void {
  beginPhase(run, 'reserve');
  assertSizeAllowed(run);
  withDestinationErrors(run, () => {
    if (reopenPartial(run, readSidecar(run.paths.sidecar))) return;
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
  const reason = whyNotResumable(run, sidecar, old);
  if (reason !== null || checkpoint === null) {
    run.facts.restartedBecause = reason;
    removeFile(run.paths.partial);
    closeSync(old.fd);
    return false;
  }
  run.partial = old;
  continueFrom(run, checkpoint);
  return true;
}

function whyNotResumable(
  run: CopyRun,
  { checkpoint, isNewer }: SidecarContent,
  partial: OpenPartial,
): string | null {
  if (!run.request.resume || !run.request.durable) return 'not_asked';
  if (isNewer) return 'newer_checkpoint';
  if (checkpoint === null || checkpoint.operation !== run.request.id) return 'no_checkpoint';
  if (!unpackTarget(checkpoint.target).equals(run.targetName)) return 'other_destination';
  if (checkpoint.partialInode !== String(partial.inode)) return 'partial_replaced';
  if (!isSameSource(checkpoint.source, identityOf(sourceOf(run).stat))) return 'source_changed';
  if (run.request.method === 'copy' && checkpoint.method === 'clone') return 'other_method';
  if (fstatSync(partial.fd).size < Number(checkpoint.offset)) return 'partial_cut';
  return null;
}

function continueFrom(run: CopyRun, checkpoint: Checkpoint): void {
  const offset = BigInt(checkpoint.offset);
  run.hasCheckpoint = true; // from here on, a failure of this run keeps the partial
  const source = extentSource(run, sourceOf(run));
  const totals = countExtents(source, { before: offset, onCheck: () => throwIfStopped(run) });
  run.copiedOffset = offset;
  run.copiedBytes = totals.bytesBefore;
  run.writtenBytes = BigInt(checkpoint.writtenBytes);
  run.facts.method = checkpoint.method;
  run.facts.resumedAtBytes = Number(totals.bytesBefore);
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
    if (!stat.isFile()) throw new CopyError('not_regular', { path: showPath(run.paths.partial) });
    if (run.kernel !== null && !lockPartial(run.kernel, fd)) {
      throw new CopyError('partial_in_use', { path: showPath(run.paths.partial) });
    }
    return { fd, inode: stat.ino };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
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
