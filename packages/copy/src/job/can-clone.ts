import { randomId } from './options.ts';
import { runInWorker } from './pool.ts';
import type { PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';

/**
 * Whether a new file in a directory can share blocks with a file. Tries to share blocks with a tiny hidden
 * file, then removes that file. Neither the name of a file system nor its device number is proof.
 *
 * @throws CopyError `not_regular`, `not_found`, `permission`, …
 */
export async function canClone(source: PathLike, directory: PathLike): Promise<boolean> {
  const paths = {
    source: toPathBytes(source, 'source'),
    directory: toPathBytes(directory, 'directory'),
  };
  return await runInWorker({ kind: 'canClone', id: randomId(), ...paths });
}
