/** What is known of a regular file. */
export interface FileFacts {
  kind: 'regular';
  sizeBytes: number;
  /** Bytes that are not holes; without kernel calls what the allocated blocks hold, at most. */
  dataBytes: number;
  /** Null without kernel calls: holes cannot be seen then. */
  extentCount: number | null;
  inode: string;
  mtimeNs: string;
  links: number;
  /** Whether somebody has it open for writing; `unknown` where the kernel does not tell (not the owner, not Linux). */
  writers: 'none' | 'some' | 'unknown';
  /** The first `headBytes` bytes. */
  head: Uint8Array;
  /** The ranges asked for; shorter where the file ends earlier. */
  samples: Uint8Array[];
}

export interface InspectOptions {
  /** @default 65536 */
  headBytes?: number;
  /** Further ranges to read, e.g. the ISO 9660 descriptor at 32769. */
  samples?: { offset: number; lengthBytes: number }[];
  /** @default 'auto' */
  kernelCalls?: 'auto' | 'off';
}
