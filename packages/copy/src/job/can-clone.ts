import { randomId } from './options.ts';
import { runInWorker } from './pool.ts';
import type { PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';

/**
 * Whether a new file in a directory can share blocks with a file. Tries it on a tiny hidden file, which is removed
 * at once, because neither the name of a file system nor its device number proves it.
 *
 * @throws CopyError `not_regular`, `not_found`, `permission`, …
 */
export async function canClone(sourcePath: PathLike, directory: PathLike): Promise<boolean> {
  const paths = { source: toPathBytes(sourcePath), directory: toPathBytes(directory) };
  return await runInWorker({ kind: 'canClone', id: randomId(), ...paths });
}
