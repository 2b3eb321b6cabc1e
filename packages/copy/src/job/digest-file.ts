import { runInWorker } from './pool.ts';
import { digestSlot } from '../contract/digest.ts';
import type { FileDigest } from '../contract/digest.ts';
import type { PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';

/** A running digest. */
export interface DigestJob {
  /** Rejects with a CopyError: `not_regular`, `source_changed`, `io_error`, `cancelled`, … */
  readonly done: Promise<FileDigest>;
  /** Reads shared memory, so it takes microseconds. */
  progress(): { doneBytes: number };
  cancel(): void;
}

/**
 * Computes the SHA-256 of a regular file on a worker thread. Never follows a symlink and never hangs on a FIFO.
 * With kernel calls, holes are not read.
 */
export function digestFile(path: PathLike): DigestJob {
  const memory = new SharedArrayBuffer(digestSlot.length * BigInt64Array.BYTES_PER_ELEMENT);
  const slot = new BigInt64Array(memory);
  return {
    done: runInWorker<'digest'>({ kind: 'digest', path: toPathBytes(path), memory }),
    progress: () => ({ doneBytes: Number(Atomics.load(slot, digestSlot.done)) }),
    cancel: () => void Atomics.store(slot, digestSlot.stop, 1n),
  };
}
