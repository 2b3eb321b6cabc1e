import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { CopyError } from '../contract/errors.ts';
import { runInWorker } from '../job/pool.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { packTarget } from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';
import { readCheckpoint } from '../recovery/partials.ts';
import { joinPath, hiddenPaths, showPath, toPathBytes } from '../storage/paths.ts';
import type { HiddenPaths } from '../storage/paths.ts';

/** A file whose bytes the caller has from elsewhere, e.g. from a network: where it goes, and how long it will be. */
export interface ReceiveTarget {
  directory: string;
  /** Names its partial and its sidecar, as a copy's id does. */
  id: string;
  poolId: string | null;
  targetName: string;
  sizeBytes: number;
}

/**
 * The partial of such a file while it is open. It has the hidden names, the sidecar and the publication of a
 * copy, so that everything that looks after copies' remains looks after it as well.
 */
export interface PartialFile {
  readonly handle: FileHandle;
  /** What the sidecar said when it was opened: every byte below is safe. */
  readonly offsetBytes: number;
  /**
   * Makes an offset durable: temporary, fsync, rename, fsync of the directory. To be called only after an
   * `fdatasync` that was issued when every byte below had been written.
   */
  record(offsetBytes: number): Promise<void>;
  close(): Promise<void>;
}

const createFlags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const reopenFlags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const sidecarFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** Makes the empty partial with a sidecar of offset 0; both are durable when this resolves. */
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
 * Opens the partial where an earlier run left it. What was written after the last durable offset may be there
 * or not, whole or in part: it goes.
 *
 * @throws CopyError `not_found` when partial or sidecar is gone, `source_changed` when they do not fit each
 * other any more: the partial is another file, or shorter than what was durable
 */
export async function openPartial(target: ReceiveTarget): Promise<PartialFile> {
  const base = toPathBytes(target.directory);
  const { partial } = hiddenPaths(base, target.id);
  const path = showPath(partial);
  return withTargetErrors(target, async () => {
    const checkpoint = await readCheckpoint(base, target.id);
    if (checkpoint === null) throw new CopyError('not_found', { path, detail: 'no checkpoint' });
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
 * Gives the complete file its final name, never replacing another, in a thread of its own.
 * @throws CopyError `exists` and whatever the storage says
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
    // There is no source file here; its size is what the result must have.
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
