import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { identityOf } from '../run/source.ts';
import { systemCode } from '../kernel/errno.ts';
import { partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { isNewerSidecar, maxSidecarBytes, packTarget, parseCheckpoint } from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
const oldFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Flushes the partial, then records the offset: a sidecar counts only bytes that are on the storage. */
export function setCheckpoint(run: CopyRun): void {
  try {
    fdatasyncSync(partialOf(run).fd);
  } catch (error) {
    run.flushFailed = true;
    throw error;
  }
  writeSidecar(run, 'transfer');
  run.slot.set('done', run.copiedBytes);
  run.slot.set('durable', run.copiedBytes);
}

/**
 * Replaces the sidecar atomically: temporary file, fsync, rename, fsync of the directory. Without the last step, a
 * power cut could bring back an older sidecar, which does not match the data.
 */
export function replaceSidecar(
  { paths, directoryFd }: Pick<CopyRun, 'paths' | 'directoryFd'>,
  checkpoint: Checkpoint,
): void {
  const { sidecar, sidecarTemporary } = paths;
  const fd = openSync(sidecarTemporary, newFile, 0o600);
  try {
    writeSync(fd, JSON.stringify(checkpoint));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(sidecarTemporary, sidecar);
  fsyncSync(directoryFd);
}

export function writeSidecar(run: CopyRun, phase: Checkpoint['phase']): void {
  replaceSidecar(run, describe(run, phase));
  run.hasCheckpoint = true;
}

function describe(run: CopyRun, phase: Checkpoint['phase']): Checkpoint {
  return {
    version: 1,
    operation: run.request.id,
    poolId: run.request.poolId,
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
  let fd: number;
  try {
    fd = openSync(path, oldFile);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ELOOP')
      return { checkpoint: null, isNewer: false };
    throw error;
  }
  try {
    const bytes = Buffer.alloc(maxSidecarBytes);
    const text = bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
    return { checkpoint: parseCheckpoint(text), isNewer: isNewerSidecar(text) };
  } finally {
    closeSync(fd);
  }
}
