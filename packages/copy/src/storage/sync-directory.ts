import { open } from 'node:fs/promises';
import type { PathLike } from '../contract/types.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath, toPathBytes } from './paths.ts';

/**
 * Makes the names in a directory durable: earlier creations, renames and removals survive a power cut.
 * @throws CopyError
 */
export async function syncDirectory(directory: PathLike): Promise<void> {
  const path = toPathBytes(directory, 'directory');
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw toCopyError(error, { path: showPath(path) });
  }
}
