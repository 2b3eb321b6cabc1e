import { fsyncSync, renameSync, unlinkSync } from 'node:fs';
import { restrict } from '../flush/flush.ts';
import { statIfExists } from '../inspect/inspect.ts';
import { CopyError } from '../contract/errors.ts';
import type { CopyResult } from '../contract/types.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { showPath } from '../storage/paths.ts';
import { removeFile } from '../storage/remove-file.ts';
import { renameExclusively } from '../storage/rename-exclusively.ts';
import { readSidecar, writeSidecar } from '../resume/sidecar.ts';
import { waitWhilePaused } from '../run/control.ts';
import { beginPhase, withDestinationErrors, partialOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { isPublished } from './is-published.ts';

/**
 * Gives the complete file its final name. Before the rename, the sidecar's phase becomes `publishing`. After a
 * crash, a target with the partial's inode then proves that the rename was done.
 */
export function publish(run: CopyRun): CopyResult {
  beginPhase(run, 'publish');
  const { durable, keepSidecar } = run.request;
  const { inode } = partialOf(run);
  if (durable) withDestinationErrors(run, () => writeSidecar(run, 'publishing'));
  waitWhilePaused(run);
  const how = withDestinationErrors(run, () => {
    restrict(run);
    assertOwnPartial(run);
    return renameIntoPlace(run, inode);
  });
  // From here on the file is published. The sidecar proves that, so a failure keeps it.
  run.published = true;
  withDestinationErrors(run, () => {
    if (how === 'linked') unlinkSync(run.paths.partial);
    if (durable) fsyncSync(run.directoryFd);
  });
  if (!durable || !keepSidecar) removeFile(run.paths.sidecar);
  return describeResult(run, inode);
}

/** Gives the partial its final name. With the result `linked` it still has its hidden name, which the caller removes. */
function renameIntoPlace({ paths, request, kernel, warnings }: CopyRun, inode: bigint): 'renamed' | 'linked' {
  if (!request.overwrite)
    return renameExclusively({ from: paths.partial, to: paths.target, kernel, warnings, inode });
  renameSync(paths.partial, paths.target);
  return 'renamed';
}

/**
 * Another program may have replaced the partial. Its file, or what its symlink names, is not the copy.
 *
 * @throws CopyError `destination_changed`
 */
function assertOwnPartial(run: CopyRun): void {
  const { inode } = partialOf(run);
  const named = withDestinationErrors(run, () => statIfExists(run.paths.partial));
  if (named?.isFile() === true && named.ino === inode) return;
  throw new CopyError('destination_changed', {
    path: showPath(run.request.destination),
    detail: 'the partial file was moved or replaced',
  });
}

function describeResult(run: CopyRun, inode: bigint): CopyResult {
  const { virtualBytes, dataBytes } = run.facts;
  const method = run.facts.method ?? 'read-write';
  const shared = method === 'clone' ? dataBytes : 0;
  const written = Number(run.writtenBytes);
  const data = shared + written;
  run.phases.measure();
  return {
    method,
    bytes: { virtual: virtualBytes, data, skipped: virtualBytes - data, shared, written },
    elapsedMs: performance.now() - run.startedMs,
    phases: run.phases.entries,
    inode: String(inode),
    warnings: run.warnings,
    resumed: run.facts.resumedAtBytes !== null,
  };
}

/**
 * Returns the result of an earlier run that died after its rename, or null. Such a copy is complete, even if
 * its source has since changed or disappeared.
 */
export function recoverEarlierPublication(run: CopyRun): CopyResult | null {
  if (!run.request.resume) return null;
  const { checkpoint } = withDestinationErrors(run, () => readSidecar(run.paths.sidecar));
  if (checkpoint === null || checkpoint.operation !== run.request.id) return null;
  const target = withDestinationErrors(run, () => statIfExists(run.paths.target));
  if (!isPublished(checkpoint, { target, name: run.targetName })) return null;
  beginPhase(run, 'publish');
  removeFile(run.paths.partial); // the second name, if the crash happened between link and unlink
  withDestinationErrors(run, () => fsyncSync(run.directoryFd));
  if (!run.request.keepSidecar) removeFile(run.paths.sidecar);
  restoreFacts(run, checkpoint);
  return describeResult(run, BigInt(checkpoint.partialInode));
}

function restoreFacts(run: CopyRun, checkpoint: Checkpoint): void {
  const dataBytes = Number(checkpoint.dataBytes);
  run.published = true;
  run.writtenBytes = BigInt(checkpoint.writtenBytes);
  Object.assign(run.facts, {
    virtualBytes: Number(checkpoint.source.size),
    dataBytes,
    method: checkpoint.method,
    resumedAtBytes: dataBytes,
  });
}
