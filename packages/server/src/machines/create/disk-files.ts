import type { CopyJob, CopyOptions } from '@wcc/copy';
import { copyFile, forget, removeRemains, settlePublication } from '@wcc/copy';
import { chmod, link, open, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing } from '../../files/errors.ts';
import { syncDirectory } from '../../files/sync-directory.ts';
import { measureRoom, partialPath } from '../../images/free-space.ts';
import { lookAt } from '../../images/scan/stat-entry.ts';
import type { MachinesContext } from '../context.ts';
import { createOverlay, createQcow2, resizeQcow2 } from '../hypervisor/qemu-img.ts';
import type { DiskPlan } from './input.ts';

/** Where the file of a disk is made, and whose remains it may leave. */
export interface DiskTarget {
  operationId: string;
  poolId: string;
  directory: string;
}

export interface DiskHooks {
  /** A copy has begun: its numbers, and whom to tell of a cancel. */
  onJob: (job: CopyJob) => void;
  onCopyPhase: NonNullable<CopyOptions['onPhase']>;
  /** What is not a copy stops when it aborts. @default never */
  signal?: AbortSignal;
}

/**
 * Gives the file of a disk its name, or finds that an earlier process did so. The hidden files carry the
 * operation's id, like those of every copy: the sweep of remains and the count of space know them.
 * @returns its inode, by which it is known from now on
 */
export async function publishDisk(
  context: MachinesContext,
  { place, disk, hooks }: { place: DiskTarget; disk: DiskPlan; hooks: DiskHooks },
): Promise<string> {
  if (!(await isPublished(place, disk))) {
    if (disk.making.kind === 'copy') await copyDisk(context, { place, disk, hooks });
    else await publishEmpty(context, { place, disk, hooks });
  }
  const entry = await lookAt(join(place.directory, disk.name), disk.name);
  if (entry === null) throw new Error('a disk vanished as soon as it was made');
  return entry.inode;
}

/** Once its inode is in the store: rights and size, and nothing hidden stays. May be done again after a crash. */
export async function finishDisk(
  { directory, operationId }: DiskTarget,
  disk: DiskPlan,
  signal?: AbortSignal,
): Promise<void> {
  const path = join(directory, disk.name);
  // A template may be read-only; a disk is written by its machine, and read by nobody else.
  await chmod(path, 0o600);
  if (disk.grows) await grow(path, disk, signal);
  if (disk.making.kind === 'copy') await forget(directory, operationId);
  else await unlink(partialPath(directory, operationId)).catch(ignoreMissing);
}

/** Whether an earlier process gave the file its name without telling the store. What is half made goes. */
async function isPublished({ directory, operationId }: DiskTarget, disk: DiskPlan): Promise<boolean> {
  if (disk.making.kind === 'copy') {
    const found = await settlePublication(directory, operationId, Buffer.from(disk.name));
    if (found === 'published') return true;
    if (found === 'not_published') await removeRemains(directory, operationId);
    return false;
  }
  const partial = await lookAt(partialPath(directory, operationId), '');
  const target = await lookAt(join(directory, disk.name), disk.name);
  if (partial !== null && partial.inode === target?.inode) return true;
  await removeRemains(directory, operationId);
  return false;
}

async function copyDisk(
  context: MachinesContext,
  { place, disk, hooks }: { place: DiskTarget; disk: DiskPlan; hooks: DiskHooks },
): Promise<void> {
  if (disk.making.kind !== 'copy') return;
  const { source, method } = disk.making;
  const { poolId, directory, operationId } = place;
  const from = await context.images.pools.use(source.poolId);
  const room = await measureRoom(context.images, { id: poolId, path: directory }, operationId);
  hooks.signal?.throwIfAborted();
  const job = copyFile(join(from.path, source.name), join(directory, disk.name), {
    id: operationId,
    poolId,
    method,
    freeSpaceFloorBytes: room.keepFreeBytes,
    keepOnFailure: true,
    keepSidecar: true,
    refuseWriters: true,
    onPhase: hooks.onCopyPhase,
  });
  hooks.onJob(job);
  await job.done;
}

/** A blank disk or an overlay: complete under a hidden name before it has its own, which replaces nothing. */
async function publishEmpty(
  context: MachinesContext,
  { place, disk, hooks }: { place: DiskTarget; disk: DiskPlan; hooks: DiskHooks },
): Promise<void> {
  const { directory, operationId } = place;
  const partial = partialPath(directory, operationId);
  await writeEmpty(context, { path: partial, disk, signal: hooks.signal });
  const file = await open(partial, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  hooks.signal?.throwIfAborted();
  await link(partial, join(directory, disk.name));
  await syncDirectory(directory);
}

async function writeEmpty(
  context: MachinesContext,
  { path, disk, signal }: { path: string; disk: DiskPlan; signal: AbortSignal | undefined },
): Promise<void> {
  const { making, format, sizeBytes } = disk;
  if (making.kind === 'overlay') {
    const { source } = making;
    const base = join((await context.images.pools.use(source.poolId)).path, source.name);
    await createOverlay(path, { base: { path: base, format: source.format }, sizeBytes }, signal);
    return;
  }
  if (format === 'qcow2') {
    await createQcow2(path, sizeBytes, signal);
    return;
  }
  const file = await open(path, 'wx', 0o600);
  try {
    await file.truncate(sizeBytes);
  } finally {
    await file.close();
  }
}

/** A machine that runs already is left alone: then this was done before the crash. */
async function grow(
  path: string,
  { format, sizeBytes }: DiskPlan,
  signal: AbortSignal | undefined,
): Promise<void> {
  if ((await sizeOfDisk(path, format)) >= sizeBytes) return;
  if (format === 'qcow2') await resizeQcow2(path, sizeBytes, signal);
  else await truncate(path, sizeBytes);
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Offset of the virtual size in a qcow2 header. */
const qcow2SizeOffset = 24;

/** What the guest sees, by a header that was written here. */
async function sizeOfDisk(path: string, format: DiskPlan['format']): Promise<number> {
  const file = await open(path, 'r');
  try {
    if (format === 'raw') return (await file.stat()).size;
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, qcow2SizeOffset);
    return Number(buffer.readBigUInt64BE());
  } finally {
    await file.close();
  }
}

/**
 * Removes what an operation made of a disk: its hidden files, and the file under its name when that is the one
 * that was made here. A file that somebody else put there stays.
 */
export async function removeDiskFile(
  { directory, operationId }: DiskTarget,
  disk: DiskPlan,
  inode: string | null,
): Promise<void> {
  const path = join(directory, disk.name);
  const made = inode ?? (await inodeOfUnrecorded({ directory, operationId }, disk));
  const entry = made === null ? null : await lookAt(path, disk.name);
  if (entry !== null && entry.inode === made) await unlink(path).catch(ignoreMissing);
}

async function inodeOfUnrecorded(
  { directory, operationId }: Pick<DiskTarget, 'directory' | 'operationId'>,
  disk: DiskPlan,
): Promise<string | null> {
  const path = join(directory, disk.name);
  if (disk.making.kind === 'copy') {
    const found = await settlePublication(directory, operationId, Buffer.from(disk.name));
    return found === 'published' ? ((await lookAt(path, disk.name))?.inode ?? null) : null;
  }
  return (await lookAt(partialPath(directory, operationId), ''))?.inode ?? null;
}
