import type { CopyJob, CopyOptions } from '@wcc/copy';
import { startCopy } from '@wcc/copy';
import { partialPath } from '@wcc/copy/receive';
import * as recovery from '@wcc/copy/recovery';
import { chmod, open, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing, ignoreUnsupported } from '../../files/errors.ts';
import { assertBasesHold } from '../../images/base-file.ts';
import { baseNameOf } from '../../images/image-rows.ts';
import { givePartialItsName, wasPublished } from '../../images/publish/linked-partial.ts';
import { measureFreeSpace } from '../../images/space/free-space.ts';
import { statEntry } from '../../images/scan/stat-entry.ts';
import type { MachinesContext } from '../context.ts';
import { createOverlay, createQcow2, resizeQcow2 } from '../hypervisor/qemu-img.ts';
import type { DiskPlan } from '../record/plan.ts';

/** The directory of a disk file, and the operation id in the names of its hidden files. */
export interface DiskTarget {
  operationId: string;
  poolId: string;
  directory: string;
}

export interface DiskHooks {
  /** Receives the copy job when it starts, to show its numbers and to cancel it. */
  onJob: (job: CopyJob) => void;
  onCopyPhase: NonNullable<CopyOptions['onPhase']>;
  /** Stops steps other than the copy. @default never */
  signal?: AbortSignal;
}

/**
 * Creates the file of a disk under its name, unless an earlier process has done so. The hidden files carry the
 * operation's id, like those of every copy, so that orphan detection and space accounting know them.
 * @returns its inode, which identifies the file from now on
 */
export async function publishDisk(
  context: MachinesContext,
  { target, disk, hooks }: { target: DiskTarget; disk: DiskPlan; hooks: DiskHooks },
): Promise<string> {
  if (!(await isPublished(target, disk))) {
    if (disk.making.kind === 'copy') await copyDisk(context, { target, disk, hooks });
    else await publishEmpty(context, { target, disk, hooks });
  }
  const entry = await statEntry(join(target.directory, disk.name), disk.name);
  if (entry === null) throw new Error('a disk vanished right after its creation');
  return entry.inode;
}

/** Sets mode and size, and removes the hidden files. Call it after the inode is in the store. Idempotent. */
export async function finishDisk(
  { store }: Pick<MachinesContext, 'store'>,
  { target, disk, signal }: { target: DiskTarget; disk: DiskPlan; signal?: AbortSignal },
): Promise<void> {
  const { directory, operationId } = target;
  const path = join(directory, disk.name);
  // A template may be read-only, but the machine writes its disk. No other user may read it.
  await chmod(path, 0o600).catch(ignoreUnsupported);
  if (disk.grows) await grow(path, disk, { baseName: await baseNameOf(store, disk), signal });
  // Without it, a power cut may bring back the mode of the template.
  await syncFile(path);
  if (disk.making.kind === 'copy') await recovery.forget(directory, operationId);
  else await recovery.remove(directory, operationId);
}

/** Whether an earlier process has published the file. Removes an unfinished one. */
async function isPublished({ directory, operationId }: DiskTarget, disk: DiskPlan): Promise<boolean> {
  if (disk.making.kind === 'copy') {
    const found = await recovery.settle(directory, operationId, Buffer.from(disk.name));
    if (found === 'published') return true;
    if (found === 'not_published') await recovery.remove(directory, operationId);
    return false;
  }
  if (await wasPublished({ directory, id: operationId, targetName: disk.name })) return true;
  await recovery.remove(directory, operationId);
  return false;
}

async function copyDisk(
  context: MachinesContext,
  { target, disk, hooks }: { target: DiskTarget; disk: DiskPlan; hooks: DiskHooks },
): Promise<void> {
  if (disk.making.kind !== 'copy') return;
  const { source, method } = disk.making;
  const { poolId, directory, operationId } = target;
  const from = await context.images.pools.use(source.poolId);
  const pool = { id: poolId, path: directory };
  const { keepFreeBytes } = await measureFreeSpace(context.images, pool, [operationId]);
  hooks.signal?.throwIfAborted();
  const job = startCopy(join(from.path, source.name), join(directory, disk.name), {
    id: operationId,
    tag: poolId,
    method,
    minFreeBytes: keepFreeBytes,
    keepPartial: true,
    keepSidecar: true,
    ifInUse: 'fail',
    onPhase: hooks.onCopyPhase,
  });
  hooks.onJob(job);
  await job.done;
}

/** Writes a blank disk or an overlay under a hidden name, then links it to its name. Replaces no file. */
async function publishEmpty(
  context: MachinesContext,
  { target, disk, hooks }: { target: DiskTarget; disk: DiskPlan; hooks: DiskHooks },
): Promise<void> {
  const { directory, operationId } = target;
  const partial = partialPath(directory, operationId);
  await writeEmpty(context, { path: partial, disk, signal: hooks.signal });
  await syncFile(partial);
  hooks.signal?.throwIfAborted();
  await givePartialItsName({ directory, id: operationId, targetName: disk.name });
}

async function writeEmpty(
  context: MachinesContext,
  { path, disk, signal }: { path: string; disk: DiskPlan; signal: AbortSignal | undefined },
): Promise<void> {
  const { making, format, sizeBytes } = disk;
  if (making.kind === 'overlay') {
    const { source } = making;
    await assertBasesHold(context.images, source.id);
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

/** Skips a disk that already has its size, because its machine may be running after a crash of wcc. */
async function grow(
  path: string,
  { format, sizeBytes }: DiskPlan,
  options: { baseName: string | undefined; signal: AbortSignal | undefined },
): Promise<void> {
  if ((await sizeOfDisk(path, format)) >= sizeBytes) return;
  if (format === 'qcow2') await resizeQcow2(path, sizeBytes, options);
  else await truncate(path, sizeBytes);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Offset of the virtual size in a qcow2 header. */
const qcow2SizeOffset = 24;

/** The size that the guest sees. Reads the header, which wcc wrote. */
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

/** What the removal of a disk needs to know of its making. */
export interface MadeDisk {
  name: string;
  /** Made by the copy engine; else by a link of a hidden file. */
  isCopy: boolean;
}

/**
 * Removes the file of a disk if the operation has created it. A file that another program put under this name
 * stays.
 */
export async function removeDiskFile(
  { directory, operationId }: DiskTarget,
  disk: MadeDisk,
  inode: string | null,
): Promise<void> {
  const path = join(directory, disk.name);
  const ownInode = inode ?? (await inodeOfUnrecorded({ directory, operationId }, disk));
  const entry = ownInode === null ? null : await statEntry(path, disk.name);
  if (entry !== null && entry.inode === ownInode) await unlink(path).catch(ignoreMissing);
}

async function inodeOfUnrecorded(
  { directory, operationId }: Pick<DiskTarget, 'directory' | 'operationId'>,
  disk: MadeDisk,
): Promise<string | null> {
  const isOwn = disk.isCopy
    ? (await recovery.settle(directory, operationId, Buffer.from(disk.name))) === 'published'
    : await wasPublished({ directory, id: operationId, targetName: disk.name });
  return isOwn ? ((await statEntry(join(directory, disk.name), disk.name))?.inode ?? null) : null;
}
