import { abortSignal, integer, listOf, oneOf, readOptions, nested } from '../contract/read-options.ts';
import type { Readers } from '../contract/read-options.ts';
import type { InspectPosition, InspectRequest } from '../contract/messages.ts';
import { runInWorker } from './pool.ts';
import type { PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';
import type { FileFacts, InspectOptions } from '../contract/file-facts.ts';

const defaultHeadBytes = 65_536;
/** Maximum bytes of one sample, because each one is read into memory. */
const maxSampleBytes = 1024 ** 3;

const inspectReaders: Readers<InspectRequest['options'] & { signal: AbortSignal | undefined }> = {
  headBytes: integer(maxSampleBytes, defaultHeadBytes),
  samples: listOf(nested({ offset: integer(Number.MAX_SAFE_INTEGER), lengthBytes: integer(maxSampleBytes) })),
  extents: oneOf(['count', 'skip'], 'count'),
  native: oneOf(['auto', 'off'], 'auto'),
  signal: abortSignal(),
};

/**
 * Inspects a regular file on a worker thread. A file with many extents leaves the thread to others in between. Never follows a symlink and never hangs on a FIFO.
 *
 * @throws CopyError `not_regular`, `size_unknown`, `not_found`, `permission`, `cancelled`, `invalid_option`, …
 */
export async function inspectFile(path: PathLike, options?: InspectOptions): Promise<FileFacts> {
  const { signal, ...checked } = readOptions(options, inspectReaders);
  const bytes = toPathBytes(path);
  for (let from: InspectPosition | null = null; ;) {
    const request: InspectRequest = { kind: 'inspect', path: bytes, options: checked, from };
    const part = await runInWorker<'inspect'>(request, { signal });
    if (!('unfinished' in part)) return part;
    from = part.unfinished;
  }
}
