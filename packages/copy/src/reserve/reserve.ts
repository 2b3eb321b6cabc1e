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
import { showPath } from '../storage/paths.ts';
import { throwIfStopped } from '../run/control.ts';
import { beginPhase, withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun, OpenPartial } from '../run/copy-state.ts';

const reopenFlags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes the hidden partial, or takes up the one an earlier run left. */
export function reserve(run: CopyRun): void {
  beginPhase(run, 'reserve');
  assertSizeAllowed(run);
  withDestinationErrors(run, () => {
    const checkpoint = readSidecar(run.paths.sidecar);
    if (reopenPartial(run, checkpoint)) return;
    removeFile(run.paths.sidecar);
    run.partial = openPartial(run, createFlags);
    setSize(run, sourceOf(run).stat.size);
  });
}

/** Opens the partial of an earlier run; false when there is none, or none that can be gone on with. */
function reopenPartial(run: CopyRun, checkpoint: Checkpoint | null): boolean {
  let old: OpenPartial;
  try {
    old = openPartial(run, reopenFlags);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  const misfit = whyNotResumable(run, checkpoint, old);
  if (misfit !== null || checkpoint === null) {
    run.facts.restartedBecause = misfit;
    removeFile(run.paths.partial);
    closeSync(old.fd);
    return false;
  }
  run.partial = old;
  continueFrom(run, checkpoint);
  return true;
}

function whyNotResumable(run: CopyRun, checkpoint: Checkpoint | null, partial: OpenPartial): string | null {
  if (!run.request.resume || !run.request.durable) return 'not_asked';
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
  run.hasCheckpoint = true; // from here on it is kept, whatever ends this run
  const source = extentSource(run, sourceOf(run));
  const totals = countExtents(source, { before: offset, onLook: () => throwIfStopped(run) });
  run.copiedOffset = offset;
  run.copiedBytes = totals.bytesBefore;
  run.writtenBytes = BigInt(checkpoint.writtenBytes);
  run.facts.method = checkpoint.method;
  run.facts.resumedAtBytes = Number(totals.bytesBefore);
  run.slot.set('written', run.writtenBytes);
  // What was written after the checkpoint may be there or not, whole or in part: it goes.
  if (checkpoint.method !== 'clone') setSize(run, offset);
  setSize(run, sourceOf(run).stat.size);
}

/** Opens the partial and locks it: another process that works on it keeps the lock as long as it lives. */
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

/** Some network file systems know no locks: there the copy goes on without one. */
function lockPartial(kernel: Kernel, fd: number): boolean {
  try {
    return kernel.tryLock(fd);
  } catch {
    return true;
  }
}

/**
 * The partial as it was at first: nothing but a hole, made anew where a step let go of it. It is cut only when
 * there is something in it: ext4 flushes a file that was ever cut to nothing when it is closed.
 */
export function emptyPartial(run: CopyRun): void {
  if (run.partial === null) run.partial = openPartial(run, createFlags);
  else if (fstatSync(run.partial.fd, { bigint: true }).blocks > 0n) setSize(run, 0n);
  setSize(run, sourceOf(run).stat.size);
}

/** Takes the partial that a step made under its name. */
export function adoptPartial(run: CopyRun): void {
  run.partial = openPartial(run, reopenFlags);
}

/** Lets go of the partial, so that a step can make it itself. */
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
 * Writing beyond the process's file size limit raises SIGXFSZ, which kills Node; so the limit is read first.
 * Without kernel calls, offsets beyond 2^53 cannot be written at all.
 */
function assertSizeAllowed(run: CopyRun): void {
  const { size } = sourceOf(run).stat;
  const path = showPath(run.request.destination);
  if (run.kernel === null && size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new CopyError('too_large', { path, detail: 'beyond 2^53 bytes only with kernel calls' });
  }
  const limit = readFileSizeLimit();
  if (limit !== null && size > limit)
    throw new CopyError('too_large', { path, detail: `limit of ${limit} bytes` });
}

function readFileSizeLimit(): bigint | null {
  try {
    const [, soft] = /^Max file size\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? null : BigInt(soft);
  } catch {
    return null; // no /proc here: then the kernel's own answer must do
  }
}
