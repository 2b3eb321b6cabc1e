import { runInWorker } from './pool.ts';
import type { PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';
import type { FileFacts, InspectOptions } from '../contract/file-facts.ts';

/**
 * Looks at a regular file, on a worker thread: never follows a symlink, never hangs on a FIFO.
 * Rejects with a CopyError: `not_regular` for everything else, `not_found`, `permission`, …
 */
export async function inspectFile(path: PathLike, options: InspectOptions = {}): Promise<FileFacts> {
  return await runInWorker({ kind: 'inspect', path: toPathBytes(path), options });
}
