import { fstatSync, fsyncSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { restrict } from '../flush/flush.ts';
import { lookUp } from '../inspect/inspect.ts';
import { identityOf, isSameSource } from '../run/source.ts';
import type { CopyResult } from '../contract/types.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { removeFile } from '../storage/remove-file.ts';
import { readSidecar, writeSidecar } from '../resume/sidecar.ts';
import { showPath } from '../storage/paths.ts';
import { obey } from '../run/control.ts';
import { beginPhase, atDestination, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { giveName } from './give-name.ts';
import { isPublished } from './settled.ts';

/**
 * Gives the complete file its final name. The sidecar says `publishing` first: whoever finds no partial but a
 * target with the partial's inode knows that the rename was done.
 */
export function publish(run: CopyRun): CopyResult {
  beginPhase(run, 'publish');
  const { durable, keepSidecar } = run.request;
  const { inode } = partialOf(run);
  checkSourceUnchanged(run);
  if (durable) atDestination(run, () => writeSidecar(run, 'publishing'));
  obey(run);
  atDestination(run, () => {
    restrict(run);
    giveName(run);
  });
  run.published = true;
  if (durable) atDestination(run, () => fsyncSync(run.directoryFd));
  if (!durable || !keepSidecar) removeFile(run.remains.sidecar);
  return describeResult(run, inode);
}

function checkSourceUnchanged(run: CopyRun): void {
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
 * An earlier run of this id may have come as far as the rename, and died before anybody heard of it: then the
 * copy is done, whatever became of its source meanwhile.
 */
export function settleEarlierPublication(run: CopyRun): CopyResult | null {
  if (!run.request.resume) return null;
  const checkpoint = atDestination(run, () => readSidecar(run.remains.sidecar));
  if (checkpoint === null || checkpoint.operation !== run.request.id) return null;
  const target = lookUp(run.request.destination);
  if (!isPublished(checkpoint, { target, name: run.targetName })) return null;
  beginPhase(run, 'publish');
  removeFile(run.remains.partial); // the second name, where publishing takes link and unlink
  atDestination(run, () => fsyncSync(run.directoryFd));
  if (!run.request.keepSidecar) removeFile(run.remains.sidecar);
  takeFacts(run, checkpoint);
  return describeResult(run, BigInt(checkpoint.partialInode));
}

function takeFacts(run: CopyRun, checkpoint: Checkpoint): void {
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
