import { CopyError, lockFile } from '@wcc/copy';
import { constants } from 'node:fs';
import { access, mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnError } from '@wcc/progress/server';
import { PoolError, toPoolError } from './error.ts';
import { readMarker, writeMarker } from './marker.ts';

export interface OpenPoolOptions {
  path: string;
  installationId: string;
  /** Its known id, or the id that a new marker gets. */
  poolId: string;
  /** True if this installation has used the directory before: then the marker must exist. */
  isKnown: boolean;
  /** Creates a missing directory. For the default pool only: a configured one may be an unmounted disk. */
  makesDirectory: boolean;
  onError: OnError;
}

/** A directory that this process has locked. */
export interface OpenPool {
  readonly id: string;
  /** Real path. */
  readonly path: string;
  /** Checks that the path is still the marked directory. @throws PoolError */
  check(): Promise<void>;
  close(): void;
}

/**
 * Opens a pool: checks permissions, marker and lock, and marks a new directory.
 * @throws PoolError with the exact reason; then nothing was written
 */
export async function openPool(options: OpenPoolOptions): Promise<OpenPool> {
  try {
    return await open(options);
  } catch (error) {
    throw toPoolError(error);
  }
}

async function open(options: OpenPoolOptions): Promise<OpenPool> {
  const { installationId } = options;
  if (options.makesDirectory && !options.isKnown) await mkdir(options.path, { recursive: true, mode: 0o750 });
  const path = await realpath(options.path);
  await assertDirectory(path);
  const found = await readMarker(path);
  if (found !== null && found.installationId !== installationId) throw new PoolError('marker_foreign');
  if (found === null && options.isKnown) throw new PoolError('marker_missing');
  const id = found?.poolId ?? options.poolId;
  if (options.isKnown && id !== options.poolId) throw new PoolError('marker_foreign');
  const lock = takeLock(path, options);
  try {
    if (found === null) await writeMarker(path, { version: 1, poolId: id, installationId });
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    id,
    path,
    check: () => assertOwnPool(path, { poolId: id, installationId }),
    close: () => lock.release(),
  };
}

async function assertDirectory(path: string): Promise<void> {
  const found = await stat(path);
  if (!found.isDirectory()) throw new PoolError('not_a_directory');
  if ((found.mode & constants.S_IWOTH) !== 0) throw new PoolError('world_writable');
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
}

async function assertOwnPool(path: string, owner: { poolId: string; installationId: string }): Promise<void> {
  try {
    await assertDirectory(path);
    const marker = await readMarker(path);
    if (marker === null) throw new PoolError('marker_missing');
    const isOurs = marker.poolId === owner.poolId && marker.installationId === owner.installationId;
    if (!isOurs) throw new PoolError('marker_foreign');
  } catch (error) {
    throw toPoolError(error);
  }
}

function takeLock(path: string, { onError }: OpenPoolOptions): ReturnType<typeof lockFile> {
  try {
    return lockFile(join(path, '.wcc-pool.lock'));
  } catch (error) {
    if (error instanceof CopyError && error.code === 'locked') throw new PoolError('locked', error);
    if (!(error instanceof CopyError) || error.code !== 'unsupported') throw error;
    // Without kernel calls no lock ends with its process. So wcc reports the missing lock and continues.
    onError(error, { stage: `pool ${path}: lock` });
    return { release: () => {} };
  }
}
