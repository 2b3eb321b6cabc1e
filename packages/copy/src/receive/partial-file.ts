import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { CopyError } from '../contract/errors.ts';
import { integer, readOptions, textOrNull } from '../contract/read-options.ts';
import type { Readers } from '../contract/read-options.ts';
import type { PathLike } from '../contract/types.ts';
import { runInWorker } from '../job/pool.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { formatCheckpoint, packTarget, sidecarVersion } from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { hasNewerSidecar, readCheckpoint } from '../recovery/partials.ts';
import { heldPath } from '../storage/held-directory.ts';
import { assertId, joinPath, hiddenPaths, showPath, toNameBytes, toPathBytes } from '../storage/paths.ts';
import type { HiddenPaths } from '../storage/paths.ts';

/** Destination and final length of a file that the caller receives, for example from a network. */
export interface ReceiveTarget {
  directory: string | URL;
  /** Names the partial and the sidecar, like the id of a copy. */
  id: string;
  /**
   * A text for the reader of the sidecar, for example the id of a pool.
   * @default null
   */
  tag?: string | null;
  /** The final name in the directory. */
  targetName: string;
  sizeBytes: number;
}

type CheckedTarget = Required<Omit<ReceiveTarget, 'directory'>> & { directory: Buffer };

const targetReaders: Readers<CheckedTarget> = {
  directory: (value, name) => toPathBytes(value as PathLike, name),
  id: assertId,
  tag: textOrNull(),
  targetName: (value, name) => toNameBytes(value as PathLike, name).toString(),
  sizeBytes: integer(Number.MAX_SAFE_INTEGER),
};

/** @throws CopyError `invalid_option` */
function readTarget(target: ReceiveTarget): CheckedTarget {
  return readOptions(target, targetReaders, 'target');
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
  /** Closes the file and keeps it, so that `open` can continue it. */
  close(): Promise<void>;
}

const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const reopenFlags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const sidecarFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** The directory of a received file while it is open. Paths through it lead there even after an unmount. */
interface HeldDirectory {
  handle: FileHandle;
  path: Buffer;
}

async function openDirectory({ directory }: CheckedTarget): Promise<HeldDirectory> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  return { handle, path: heldPath(handle.fd, directory) };
}

/** Opens the directory for a step, which owns it when it succeeds. */
async function withDirectory(
  target: CheckedTarget,
  step: (held: HeldDirectory) => Promise<PartialFile>,
): Promise<PartialFile> {
  return withTargetErrors(target, async () => {
    const held = await openDirectory(target);
    try {
      return await step(held);
    } catch (error) {
      await held.handle.close();
      throw error;
    }
  });
}

/** Creates the empty partial and a sidecar with offset 0. Both are durable when the promise resolves. */
export async function createPartial(wanted: ReceiveTarget): Promise<PartialFile> {
  const target = readTarget(wanted);
  return withDirectory(target, async (held) => {
    const handle = await open(hiddenPaths(held.path, target.id).partial, createFlags, 0o600);
    try {
      const received = await toPartialFile(target, { held, handle, from: 0 });
      await received.record(0);
      return received;
    } catch (error) {
      await handle.close();
      throw error;
    }
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
export async function openPartial(wanted: ReceiveTarget): Promise<PartialFile> {
  const target = readTarget(wanted);
  const path = showPath(hiddenPaths(target.directory, target.id).partial);
  return withDirectory(target, async (held) => {
    const checkpoint = await readCheckpoint(held.path, target.id);
    if (checkpoint === null) throw await whyNoCheckpoint({ held, id: target.id }, path);
    const handle = await open(hiddenPaths(held.path, target.id).partial, reopenFlags);
    try {
      const stat = await handle.stat({ bigint: true });
      const offset = BigInt(checkpoint.offset);
      const isSame = stat.isFile() && String(stat.ino) === checkpoint.partialInode;
      if (!isSame) throw new CopyError('source_changed', { path, detail: 'another file' });
      if (stat.size < offset) {
        throw new CopyError('source_changed', { path, detail: `${stat.size} of ${offset} bytes` });
      }
      if (stat.size > offset) await handle.truncate(Number(offset));
      return await toPartialFile(target, { held, handle, from: Number(offset) });
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
export async function publishPartial(wanted: ReceiveTarget): Promise<{ warnings: string[] }> {
  const target = readTarget(wanted);
  const destination = joinPath(target.directory, target.targetName);
  return runInWorker<'publish'>({ kind: 'publish', destination, id: target.id });
}

async function whyNoCheckpoint(
  { held, id }: { held: HeldDirectory; id: string },
  path: string,
): Promise<CopyError> {
  return (await hasNewerSidecar(held.path, id))
    ? new CopyError('unsupported', { path, detail: 'a newer version of @wcc/copy wrote the sidecar' })
    : new CopyError('not_found', { path, detail: 'no checkpoint' });
}

async function toPartialFile(
  target: CheckedTarget,
  { held, handle, from }: { held: HeldDirectory; handle: FileHandle; from: number },
): Promise<PartialFile> {
  const paths = hiddenPaths(held.path, target.id);
  const inode = String((await handle.stat({ bigint: true })).ino);
  const directory = held.handle;
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
  { id, tag, targetName, sizeBytes }: CheckedTarget,
  { offsetBytes, inode }: { offsetBytes: number; inode: string },
): Checkpoint {
  const offset = String(offsetBytes);
  const size = String(sizeBytes);
  return {
    version: sidecarVersion,
    operation: id,
    tag,
    phase: 'transfer',
    method: 'read-write',
    offset,
    doneBytes: offset,
    dataBytes: size,
    writtenBytes: offset,
    partialInode: inode,
    target: packTarget(Buffer.from(targetName)),
    // A received file has no source file: only the size that the result must have.
    source: { inode: '0', size, mtimeNs: '0', ctimeNs: '0' },
  };
}

async function replaceSidecar(
  { paths, directory }: { paths: HiddenPaths; directory: FileHandle },
  checkpoint: Checkpoint,
): Promise<void> {
  const file = await open(paths.sidecarTemporary, sidecarFlags, 0o600);
  try {
    await file.writeFile(formatCheckpoint(checkpoint));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(paths.sidecarTemporary, paths.sidecar);
  await directory.sync();
}

async function withTargetErrors<Result>(
  { targetName }: CheckedTarget,
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
