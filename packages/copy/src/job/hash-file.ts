import { digestSlot } from '../contract/digest.ts';
import { abortSignal, callback, readOptions } from '../contract/read-options.ts';
import type { Readers } from '../contract/read-options.ts';
import type { FileIdentity, PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';
import { runInWorker } from './pool.ts';
import { runWatched } from './run-watched.ts';

interface HashProgress {
  doneBytes: number;
  /** Size of the file; null until it is open. */
  totalBytes: number | null;
}

/** Options of `hashFile`. */
export interface HashOptions {
  /** Cancels the hash when it aborts. The error has the name `AbortError` and the signal's reason as `cause`. */
  signal?: AbortSignal;
  /**
   * Called every 100 ms while the file is read, and once more before the promise resolves. An error that it throws
   * cancels the hash, and the promise rejects with that error.
   */
  onProgress?: (progress: HashProgress) => void;
}

const hashReaders: Readers<{
  signal: AbortSignal | undefined;
  onProgress: HashOptions['onProgress'] | undefined;
}> = { signal: abortSignal(), onProgress: callback() };

/**
 * Computes the SHA-256 of a regular file on a worker thread. Never follows a symlink and never hangs on a FIFO.
 * With kernel calls, holes are not read.
 *
 * @returns `sha256` of the whole file in hex, where holes count as zeros; the identity of the `file` that was read;
 * `skippedBytes` in holes, which were not read
 * @throws CopyError `not_regular`, `size_unknown`, `source_changed`, `io_error`, `cancelled`, `invalid_option`, …
 */
export async function hashFile(
  path: PathLike,
  options?: HashOptions,
): Promise<{ sha256: string; file: FileIdentity; skippedBytes: number }> {
  const { signal, onProgress } = readOptions(options, hashReaders);
  const bytes = toPathBytes(path);
  const memory = new SharedArrayBuffer(digestSlot.length * BigInt64Array.BYTES_PER_ELEMENT);
  const slot = new BigInt64Array(memory);
  Atomics.store(slot, digestSlot.total, -1n);
  return await runWatched({
    signal,
    onProgress,
    read: () => readProgress(slot),
    stop: () => void Atomics.store(slot, digestSlot.stop, 1n),
    start: () => runInWorker<'digest'>({ kind: 'digest', path: bytes, memory }),
  });
}

function readProgress(slot: BigInt64Array): HashProgress {
  const total = Number(Atomics.load(slot, digestSlot.total));
  return { doneBytes: Number(Atomics.load(slot, digestSlot.done)), totalBytes: total < 0 ? null : total };
}
