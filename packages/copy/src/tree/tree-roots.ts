import { constants, existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { CopyError } from '../contract/errors.ts';
import type { TreeRoots } from '../contract/tree.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { joinPath, showPath, splitPath } from '../storage/paths.ts';
import { stagingName } from './context.ts';
import type { TreePlan } from './tree-options.ts';

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY;
const ownerOnly = 0o700;

/**
 * The directories that a tree copy starts from. The calling thread opens them, because Node closes the descriptors of
 * a worker when the worker ends.
 */
export interface OpenRoots {
  readonly roots: TreeRoots;
  /** Opens the staging directory; creates it first if `create` is set. */
  openStaging(create: boolean): Promise<void>;
  close(): Promise<void>;
}

/** @throws CopyError `not_found`, `not_directory`, `exists`, `permission`, `unsupported` */
export async function openRoots(plan: TreePlan): Promise<OpenRoots> {
  assertDescriptorPaths();
  const handles: FileHandle[] = [];
  const keep = (handle: FileHandle): number => {
    handles.push(handle);
    return handle.fd;
  };
  const close = async (): Promise<void> => {
    await Promise.all(handles.map((handle) => handle.close()));
  };
  try {
    const source = { fd: keep(await openSourceRoot(plan.source)), path: plan.source };
    const { directory, name } = splitPath(plan.destination);
    const parentHandle = await openAt(directory, directoryFlags);
    keep(parentHandle);
    const existing = plan.merge ? await openExisting(parentHandle, { name, path: plan.destination }) : null;
    const parent =
      existing === null
        ? { fd: parentHandle.fd, path: directory }
        : { fd: keep(existing), path: plan.destination };
    const destination = { path: plan.destination, name: existing === null ? name : null };
    const roots: TreeRoots = { source, parent, staging: null, destination };
    const openStaging = async (create: boolean): Promise<void> => {
      roots.staging = await makeStaging(roots, { id: plan.id, create, keep });
    };
    return { roots, openStaging, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Paths below `/proc/self/fd` open an entry of an open directory, whatever happens to the names above it. */
function assertDescriptorPaths(): void {
  if (process.platform === 'linux' && existsSync('/proc/self/fd')) return;
  throw new CopyError('unsupported', { detail: 'copyTree needs Linux with /proc' });
}

async function openAt(path: Buffer, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    throw toCopyError(error, { path: showPath(path) });
  }
}

async function openSourceRoot(path: Buffer): Promise<FileHandle> {
  try {
    return await open(path, directoryFlags | constants.O_NOFOLLOW);
  } catch (error) {
    const isOther = ['ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '');
    if (isOther) throw new CopyError('not_directory', { path: showPath(path), cause: error });
    throw toCopyError(error, { path: showPath(path) });
  }
}

/** The existing directory to merge into; null if there is none. */
async function openExisting(
  parent: FileHandle,
  { name, path }: { name: Buffer; path: Buffer },
): Promise<FileHandle | null> {
  try {
    return await open(entryPath(parent.fd, name), directoryFlags | constants.O_NOFOLLOW);
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'ENOENT') return null;
    const shown = showPath(path);
    if (!['ENOTDIR', 'ELOOP'].includes(code)) throw toCopyError(error, { path: shown });
    throw new CopyError('exists', { path: shown, detail: 'it is not a directory', cause: error });
  }
}

interface StagingOptions {
  id: string;
  create: boolean;
  keep: (handle: FileHandle) => number;
}

async function makeStaging(
  { parent, destination }: TreeRoots,
  { id, create, keep }: StagingOptions,
): Promise<TreeRoots['staging']> {
  const name = stagingName(id);
  const path = entryPath(parent.fd, Buffer.from(name));
  try {
    const isNew = create && (await mkdirIfMissing(path));
    return { fd: keep(await open(path, directoryFlags | constants.O_NOFOLLOW)), name, isNew };
  } catch (error) {
    throw toCopyError(error, { path: showPath(destination.path) });
  }
}

async function mkdirIfMissing(path: Buffer): Promise<boolean> {
  try {
    await mkdir(path, { mode: ownerOnly });
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return false;
  }
}

function entryPath(fd: number, name: Buffer): Buffer {
  return joinPath(Buffer.from(`/proc/self/fd/${fd}`), name);
}
