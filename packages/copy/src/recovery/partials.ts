import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { lstat, open, readdir, unlink } from 'node:fs/promises';
import type { PathLike } from '../contract/types.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { isPublished } from '../publish/is-published.ts';
import {
  joinPath,
  parseHiddenName,
  hiddenPaths,
  showPath,
  toNameBytes,
  toPathBytes,
} from '../storage/paths.ts';
import { syncDirectory } from '../storage/sync-directory.ts';
import { measureStaging, removeStaging } from '../tree/staging-files.ts';
import { parseTreeSidecar } from '../contract/tree-sidecar.ts';
import type { TreeSidecar } from '../contract/tree-sidecar.ts';
import { isNewerSidecar, maxSidecarBytes, parseCheckpoint, unpackTarget } from '../contract/checkpoint.ts';
import type { Checkpoint } from '../contract/checkpoint.ts';

/** The checkpoint of a copy; null if there is none, or its sidecar is invalid or of a newer version. */
export async function readCheckpoint(directory: PathLike, id: string): Promise<Checkpoint | null> {
  const checkpoint = parseCheckpoint(await readSidecarText(directory, id));
  return checkpoint?.operation === id ? checkpoint : null;
}

/** Whether a newer version of this package wrote the sidecar of `id`. */
export async function hasNewerSidecar(directory: PathLike, id: string): Promise<boolean> {
  return isNewerSidecar(await readSidecarText(directory, id));
}

/** The text of a sidecar; empty if there is none. */
async function readSidecarText(directory: PathLike, id: string): Promise<string> {
  const { sidecar } = hiddenPaths(toPathBytes(directory, 'directory'), id);
  try {
    return await readSmallFile(sidecar);
  } catch (error) {
    // ELOOP: this package never creates a symlink with a sidecar's name
    if (['ENOENT', 'ELOOP'].includes(systemCode(error) ?? '')) return '';
    throw toCopyError(error, { path: showPath(sidecar) });
  }
}

/** Reads a sidecar. Never follows a symlink and never hangs on a FIFO; returns no more than a sidecar's length. */
async function readSmallFile(path: Buffer): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) return '';
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxSidecarBytes), 0, maxSidecarBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * The state of the copy `id` after a crash, with `targetName` as its final name.
 * - `published`: it has its final name; only the sidecar is left to remove.
 * - `resumable`: there is a partial with a matching checkpoint.
 * - `not_published`: hidden files exist, but the copy cannot be resumed from them.
 * - `nothing`: no file of this copy exists.
 */
export async function recoverPublication(
  directory: PathLike,
  id: string,
  targetName: PathLike,
): Promise<'published' | 'not_published' | 'resumable' | 'nothing'> {
  const base = toPathBytes(directory, 'directory');
  const name = toNameBytes(targetName, 'targetName');
  const paths = hiddenPaths(base, id);
  const tree = parseTreeSidecar(await readSidecarText(base, id));
  if (tree?.operation === id) return await recoverTree(base, { tree, name, staging: paths.partial });
  const checkpoint = await readCheckpoint(base, id);
  const partial = await statOrNull(paths.partial);
  const sidecar = await statOrNull(paths.sidecar);
  if (
    checkpoint !== null &&
    isPublished(checkpoint, { target: await statOrNull(joinPath(base, name)), name })
  ) {
    // If publishing used link and unlink, the crash may have happened between them.
    if (partial !== null) await removeIfExists(paths.partial);
    await syncDirectory(base);
    return 'published';
  }
  if (checkpoint !== null && String(partial?.ino) === checkpoint.partialInode) return 'resumable';
  return partial === null && sidecar === null ? 'nothing' : 'not_published';
}

/** The same for a copy of a tree. It is resumed by the same call of `copyTree`. */
async function recoverTree(
  base: Buffer,
  { tree, name, staging }: { tree: TreeSidecar; name: Buffer; staging: Buffer },
): Promise<'published' | 'not_published' | 'resumable'> {
  const isTree = async (path: Buffer): Promise<boolean> => {
    const stat = await statOrNull(path);
    return stat !== null && stat.isDirectory() && String(stat.ino) === tree.stagingInode;
  };
  if (await isTree(staging)) return 'resumable';
  const isNamed = unpackTarget(tree.target).equals(name);
  if (tree.phase !== 'publishing' || !isNamed || !(await isTree(joinPath(base, name))))
    return 'not_published';
  await syncDirectory(base);
  return 'published';
}

/** Removes partial and sidecar and flushes the directory. `freedBytes`: the blocks that the partial occupied. */
export async function removePartial(directory: PathLike, id: string): Promise<{ freedBytes: number }> {
  const base = toPathBytes(directory, 'directory');
  const { partial, sidecar, sidecarTemporary } = hiddenPaths(base, id);
  const stat = await statOrNull(partial);
  if (stat?.isDirectory() === true) {
    const freedBytes = await measureStaging(base, id);
    await removeStaging(base, id);
    await removeIfExists(sidecarTemporary);
    await syncDirectory(base);
    return { freedBytes };
  }
  const removed = [
    await removeIfExists(partial),
    await removeIfExists(sidecar),
    await removeIfExists(sidecarTemporary),
  ];
  if (removed.includes(true)) await syncDirectory(base);
  return { freedBytes: stat !== null && stat.nlink === 1n ? Number(stat.blocks * 512n) : 0 };
}

/** Removes the sidecar of a published copy. */
export async function removeSidecar(directory: PathLike, id: string): Promise<void> {
  const { sidecar, sidecarTemporary } = hiddenPaths(toPathBytes(directory, 'directory'), id);
  await removeIfExists(sidecarTemporary);
  await removeIfExists(sidecar);
}

/** The hidden files of one copy or received file. */
export interface FoundPartial {
  /** The id in their names. */
  id: string;
  /** `tree`: the partial is the staging directory of `copyTree`. */
  kind: 'file' | 'tree';
  /** Bytes that the partial occupies on disk; 0 if there is no partial. */
  partialBytes: number;
  hasSidecar: boolean;
  /** The latest modification of one of them, in ms since 1970. */
  modifiedMs: number;
}

/** The partials and sidecars in a directory, one entry per id. Includes those of running copies. */
export async function listPartials(directory: PathLike): Promise<FoundPartial[]> {
  const base = toPathBytes(directory, 'directory');
  const found = new Map<string, FoundPartial>();
  for (const name of await listNames(base)) {
    const parsed = parseHiddenName(name);
    if (parsed === null) continue;
    const stat = await statOrNull(joinPath(base, name));
    if (stat === null) continue; // removed since the directory was listed
    const { id, kind } = parsed;
    const partial = found.get(id) ?? { id, kind: 'file', partialBytes: 0, hasSidecar: false, modifiedMs: 0 };
    if (kind === 'partial') partial.partialBytes = Number(stat.blocks * 512n);
    if (kind === 'partial' && stat.isDirectory()) {
      partial.kind = 'tree';
      partial.partialBytes = await measureStaging(base, id);
    }
    if (kind === 'sidecar') partial.hasSidecar = true;
    partial.modifiedMs = Math.max(partial.modifiedMs, Number(stat.mtimeMs));
    found.set(id, partial);
  }
  return [...found.values()];
}

async function listNames(base: Buffer): Promise<string[]> {
  try {
    return await readdir(base);
  } catch (error) {
    throw toCopyError(error, { path: showPath(base) });
  }
}

async function statOrNull(path: Buffer): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw toCopyError(error, { path: showPath(path) });
  }
}

async function removeIfExists(path: Buffer): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw toCopyError(error, { path: showPath(path) });
  }
}
