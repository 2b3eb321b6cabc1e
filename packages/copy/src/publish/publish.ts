import { fstatSync, fsyncSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { restrict } from '../flush/flush.ts';
import { statIfExists } from '../inspect/inspect.ts';
import { identityOf, isSameSource } from '../run/source.ts';
import type { CopyResult } from '../contract/types.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { removeFile } from '../storage/remove-file.ts';
import { readSidecar, writeSidecar } from '../resume/sidecar.ts';
import { showPath } from '../storage/paths.ts';
import { waitWhilePaused } from '../run/control.ts';
import { beginPhase, withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { renameIntoPlace } from './rename-into-place.ts';
import { isPublished } from './is-published.ts';

/**
 * Gives the complete file its final name. Before the rename, the sidecar's phase becomes `publishing`. After a
 * crash, a target with the partial's inode then proves that the rename was done.
 */
export function publish(run: CopyRun): CopyResult {
  beginPhase(run, 'publish');
  const { durable, keepSidecar } = run.request;
  const { inode } = partialOf(run);
  assertSourceUnchanged(run);
  if (durable) withDestinationErrors(run, () => writeSidecar(run, 'publishing'));
  waitWhilePaused(run);
  withDestinationErrors(run, () => {
    restrict(run);
    renameIntoPlace(run);
  });
  run.published = true;
  if (durable) withDestinationErrors(run, () => fsyncSync(run.directoryFd));
  if (!durable || !keepSidecar) removeFile(run.paths.sidecar);
  return describeResult(run, inode);
}

function assertSourceUnchanged(run: CopyRun): void {
  const { fd, stat } = sourceOf(run);
  const now = fstatSync(fd, { bigint: true });
  if (isSameSource(identityOf(now), identityOf(stat))) return;
  throw new CopyError('source_changed', { path: showPath(run.request.source) });
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
  const target = statIfExists(run.request.destination);
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
