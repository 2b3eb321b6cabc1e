import { fdatasyncSync } from 'node:fs';
import { identityOf } from '../run/source.ts';
import { partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import {
  formatCheckpoint,
  isNewerSidecar,
  maxSidecarBytes,
  packTarget,
  parseCheckpoint,
  sidecarVersion,
} from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { readHiddenFile, replaceHiddenFile } from '../storage/hidden-file.ts';
import type { HiddenPaths } from '../storage/paths.ts';

/** Flushes the partial, then records the offset: a sidecar counts only bytes that are on the storage. */
export function setCheckpoint(run: CopyRun): void {
  try {
    fdatasyncSync(partialOf(run).fd);
  } catch (error) {
    run.flushFailed = true;
    throw error;
  }
  writeSidecar(run, 'transfer');
  // A later phase counts its own bytes.
  if (run.phases.entries.at(-1)?.name !== 'transfer') return;
  run.slot.set('done', run.copiedBytes);
  run.slot.set('durable', run.copiedBytes);
}

/** Replaces the sidecar atomically and durably. */
export function replaceSidecar(
  { paths, directoryFd }: { paths: HiddenPaths; directoryFd: number },
  checkpoint: Checkpoint,
): void {
  const file = { path: paths.sidecar, temporary: paths.sidecarTemporary, directoryFd };
  replaceHiddenFile(file, formatCheckpoint(checkpoint), true);
}

export function writeSidecar(run: CopyRun, phase: Checkpoint['phase']): void {
  replaceSidecar(run, describe(run, phase));
  run.hasCheckpoint = true;
}

function describe(run: CopyRun, phase: Checkpoint['phase']): Checkpoint {
  return {
    version: sidecarVersion,
    operation: run.request.id,
    tag: run.request.tag,
    phase,
    method: run.facts.method ?? 'read-write',
    offset: String(run.copiedOffset),
    doneBytes: String(run.copiedBytes),
    dataBytes: String(run.dataBytes),
    writtenBytes: String(run.writtenBytes),
    partialInode: String(partialOf(run).inode),
    target: packTarget(run.targetName),
    source: identityOf(sourceOf(run).stat),
  };
}

/** The content of a sidecar. `checkpoint` is null if the sidecar is missing or unreadable. */
export interface SidecarContent {
  checkpoint: Checkpoint | null;
  /** A newer version of this package wrote it. */
  isNewer: boolean;
}

export function readSidecar(path: Buffer): SidecarContent {
  const text = readHiddenFile(path, maxSidecarBytes) ?? '';
  return { checkpoint: parseCheckpoint(text), isNewer: isNewerSidecar(text) };
}
