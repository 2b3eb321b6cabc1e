import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { CopyError } from '../contract/errors.ts';
import { runInWorker } from '../job/pool.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { packTarget } from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { hasNewerSidecar, readCheckpoint } from '../recovery/partials.ts';
import { joinPath, hiddenPaths, showPath, toPathBytes } from '../storage/paths.ts';
import type { HiddenPaths } from '../storage/paths.ts';

/** Destination and final length of a file that the caller receives, for example from a network. */
export interface ReceiveTarget {
  directory: string;
  /** Names the partial and the sidecar, like the id of a copy. */
  id: string;
  poolId: string | null;
  targetName: string;
  sizeBytes: number;
}

/**
 * The open partial of a received file. It has the same hidden names, sidecar and publication as a copy, so functions
 * that recover or remove copies also work for it.
 */
export interface PartialFile {
  readonly handle: FileHandle;
  /** The sidecar's offset when the file was opened: every byte below it is durable. */
  readonly offsetBytes: number;
  /**
   * Makes an offset durable: temporary sidecar, fsync, rename, fsync of the directory. Call it only after an
   * `fdatasync` that was issued when every byte below the offset had been written.
   */
  record(offsetBytes: number): Promise<void>;
  close(): Promise<void>;
}

const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const reopenFlags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const sidecarFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** Creates the empty partial and a sidecar with offset 0. Both are durable when the promise resolves. */
export async function createPartial(target: ReceiveTarget): Promise<PartialFile> {
  const paths = hiddenPaths(toPathBytes(target.directory), target.id);
  return withTargetErrors(target, async () => {
    const received = await toPartialFile(target, {
      handle: await open(paths.partial, createFlags, 0o600),
      from: 0,
    });
    await received.record(0).catch(async (error: unknown) => {
      await received.close();
      throw error;
    });
    return received;
  });
}

/**
 * Opens the partial of an earlier run and cuts it at the durable offset, because bytes after that offset may be
 * incomplete.
 *
 * @throws CopyError `not_found` if partial or sidecar is missing; `source_changed` if they do not match: the
 * partial is another file, or shorter than the durable offset; `unsupported` if a newer version of this package
 * wrote the sidecar
 */
export async function openPartial(target: ReceiveTarget): Promise<PartialFile> {
  const base = toPathBytes(target.directory);
  const { partial } = hiddenPaths(base, target.id);
  const path = showPath(partial);
  return withTargetErrors(target, async () => {
    const checkpoint = await readCheckpoint(base, target.id);
    if (checkpoint === null) throw await whyNoCheckpoint(target, path);
    const handle = await open(partial, reopenFlags);
    try {
      const stat = await handle.stat({ bigint: true });
      const offset = BigInt(checkpoint.offset);
      const isSame = stat.isFile() && String(stat.ino) === checkpoint.partialInode;
      if (!isSame) throw new CopyError('source_changed', { path, detail: 'another file' });
      if (stat.size < offset) {
        throw new CopyError('source_changed', { path, detail: `${stat.size} of ${offset} bytes` });
      }
      if (stat.size > offset) await handle.truncate(Number(offset));
      return await toPartialFile(target, { handle, from: Number(offset) });
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

/**
 * Gives the complete file its final name on a worker thread. Never replaces a file.
 * @throws CopyError `exists`, or the error of the storage
 */
export async function publishPartial(target: ReceiveTarget): Promise<{ warnings: string[] }> {
  const base = toPathBytes(target.directory);
  const found = await readCheckpoint(base, target.id);
  if (found === null) throw new CopyError('not_found', { path: target.targetName, detail: 'no checkpoint' });
  const destination = joinPath(base, target.targetName);
  return runInWorker<'publish'>({
    kind: 'publish',
    destination,
    checkpoint: { ...found, phase: 'publishing' },
  });
}

async function whyNoCheckpoint({ directory, id }: ReceiveTarget, path: string): Promise<CopyError> {
  return (await hasNewerSidecar(directory, id))
    ? new CopyError('unsupported', { path, detail: 'a newer version of @wcc/copy wrote the sidecar' })
    : new CopyError('not_found', { path, detail: 'no checkpoint' });
}

async function toPartialFile(
  target: ReceiveTarget,
  { handle, from }: { handle: FileHandle; from: number },
): Promise<PartialFile> {
  const base = toPathBytes(target.directory);
  const paths = hiddenPaths(base, target.id);
  const inode = String((await handle.stat({ bigint: true })).ino);
  const directory = await open(base, constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    handle,
    offsetBytes: from,
    record: (offsetBytes) =>
      withTargetErrors(target, () =>
        replaceSidecar({ paths, directory }, checkpointOf(target, { offsetBytes, inode })),
      ),
    async close() {
      await Promise.all([handle.close(), directory.close()]);
    },
  };
}

function checkpointOf(
  { id, poolId, targetName, sizeBytes }: ReceiveTarget,
  { offsetBytes, inode }: { offsetBytes: number; inode: string },
): Checkpoint {
  const offset = String(offsetBytes);
  const size = String(sizeBytes);
  return {
    version: 1,
    operation: id,
    poolId,
    phase: 'transfer',
    method: 'read-write',
    offset,
    doneBytes: offset,
    dataBytes: size,
    writtenBytes: offset,
    partialInode: inode,
    target: packTarget(Buffer.from(targetName)),
    // A received file has no source file: only the size that the result must have.
    source: { inode: '0', size, mtimeNs: '0' },
  };
}

async function replaceSidecar(
  { paths, directory }: { paths: HiddenPaths; directory: FileHandle },
  checkpoint: Checkpoint,
): Promise<void> {
  const file = await open(paths.sidecarTemporary, sidecarFlags, 0o600);
  try {
    await file.writeFile(JSON.stringify(checkpoint));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(paths.sidecarTemporary, paths.sidecar);
  await directory.sync();
}

async function withTargetErrors<Result>(
  { targetName }: ReceiveTarget,
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof CopyError) throw error;
    throw toCopyError(error, {
      path: targetName,
      ...(systemCode(error) === null ? { detail: String(error) } : {}),
    });
  }
}
