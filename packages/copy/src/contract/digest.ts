import type { SourceIdentity } from './types.ts';

export interface FileDigest {
  /** SHA-256 of the whole file in hex; holes count as zeros. */
  sha256: string;
  /** The state of the file that was read. */
  file: SourceIdentity;
  /** Bytes in holes, which were not read. */
  skippedBytes: number;
}

/** BigInt64 cells of the memory that caller and worker share during a digest. */
export const digestSlot = { done: 0, stop: 1, length: 2 } as const;
