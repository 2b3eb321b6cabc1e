import { runInWorker } from './pool.ts';
import type { PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';
import type { FileFacts, InspectOptions } from '../contract/file-facts.ts';

/**
 * Inspects a regular file on a worker thread. Never follows a symlink and never hangs on a FIFO.
 *
 * @throws CopyError `not_regular`, `not_found`, `permission`, …
 */
export async function inspectFile(path: PathLike, options: InspectOptions = {}): Promise<FileFacts> {
  return await runInWorker({ kind: 'inspect', path: toPathBytes(path), options });
}
