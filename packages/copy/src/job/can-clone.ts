import { randomId } from './options.ts';
import { runInWorker } from './pool.ts';
import type { PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';

/**
 * Whether blocks of a file can be shared with a new file in a directory. Tried for real, on a tiny hidden file
 * that is removed at once: neither the file system's name nor its device number tells for sure.
 */
export async function canClone(sourcePath: PathLike, directory: PathLike): Promise<boolean> {
  const paths = { source: toPathBytes(sourcePath), directory: toPathBytes(directory) };
  return await runInWorker({ kind: 'canClone', id: randomId(), ...paths });
}
