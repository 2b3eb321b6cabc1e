import type { SourceIdentity } from './types.ts';

export interface FileDigest {
  /** SHA-256 of the whole file in hex; holes count as zeros. */
  sha256: string;
  /** Identity and state of the file at the time of the read. */
  file: SourceIdentity;
  /** Bytes in holes, which the digest did not read. */
  skippedBytes: number;
}

/** BigInt64 cells of the memory that caller and worker share during a digest. */
export const digestSlot = { done: 0, stop: 1, length: 2 } as const;
