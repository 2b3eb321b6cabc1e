/** The result of inspecting a regular file. */
export interface FileFacts {
  kind: 'regular';
  sizeBytes: number;
  /** Bytes that are not in holes. Without kernel calls: the size of the allocated blocks, at most `sizeBytes`. */
  dataBytes: number;
  /** Null without kernel calls, because Node cannot find holes. */
  extentCount: number | null;
  inode: string;
  mtimeNs: string;
  links: number;
  /** Whether a program has the file open for writing; `unknown` if the caller is not the owner, or not on Linux. */
  writers: 'none' | 'some' | 'unknown';
  /** The first `headBytes` bytes. */
  head: Uint8Array;
  /** The requested ranges; shorter where the file ends earlier. */
  samples: Uint8Array[];
}

export interface InspectOptions {
  /** @default 65536 */
  headBytes?: number;
  /** Further ranges to read, for example the ISO 9660 descriptor at 32769. */
  samples?: { offset: number; lengthBytes: number }[];
  /** @default 'auto' */
  kernelCalls?: 'auto' | 'off';
}
