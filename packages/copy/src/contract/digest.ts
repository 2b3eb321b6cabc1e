import type { FileIdentity } from './types.ts';

/** The result of `hashFile`. */
export interface FileDigest {
  /** SHA-256 of the whole file in hex; holes count as zeros. */
  sha256: string;
  /** Identity and state of the file at the time of the read. */
  file: FileIdentity;
  /** Bytes in holes, which the digest did not read. */
  skippedBytes: number;
}

/** BigInt64 cells of the memory that caller and worker share during a digest. `total` is -1 until the file is open. */
export const digestSlot = { done: 0, stop: 1, total: 2, length: 3 } as const;
