import { runInWorker } from './pool.ts';
import { digestSlot } from '../contract/digest.ts';
import type { FileDigest } from '../contract/digest.ts';
import type { PathLike } from '../contract/types.ts';
import { toPathBytes } from '../storage/paths.ts';

/** A file that is being read for its digest. */
export interface DigestJob {
  /** Rejects with a CopyError: `not_regular`, `source_changed`, `io_error`, `cancelled`, … */
  readonly done: Promise<FileDigest>;
  /** Read from shared memory: costs nothing. */
  progress(): { doneBytes: number };
  cancel(): void;
}

/**
 * SHA-256 of a regular file on a worker thread: never follows a symlink, never hangs on a FIFO, and reads no
 * holes where the kernel tells them.
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
