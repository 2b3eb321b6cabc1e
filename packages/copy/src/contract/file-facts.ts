/** The result of inspecting a regular file. */
export interface FileFacts {
  kind: 'regular';
  sizeBytes: number;
  /**
   * Bytes that are not in holes. Without kernel calls, and with `extents: 'skip'`: the size of the allocated blocks, at
   * most `sizeBytes`.
   */
  dataBytes: number;
  /** Null without kernel calls, because Node cannot find holes, and with `extents: 'skip'`. */
  extentCount: number | null;
  inode: string;
  mtimeNs: string;
  /** A program can set the modification time back, but not this time. */
  ctimeNs: string;
  links: number;
  /** Whether a program has the file open for writing; `unknown` if the caller is not the owner, or not on Linux. */
  writers: 'none' | 'some' | 'unknown';
  /** The first `headBytes` bytes. */
  head: Uint8Array;
  /** The requested ranges; shorter where the file ends earlier. */
  samples: Uint8Array[];
}

/** Options of `inspectFile`. */
export interface InspectOptions {
  /**
   * Bytes at the beginning of the file to return.
   * @default 65536
   */
  headBytes?: number;
  /** Further ranges to read, for example the ISO 9660 descriptor at 32769. */
  samples?: { offset: number; lengthBytes: number }[];
  /**
   * `skip` does not count the extents, which takes seconds for a fragmented file.
   * @default 'count'
   */
  extents?: 'count' | 'skip';
  /** @default 'auto' */
  native?: 'auto' | 'off';
  /** Stops the inspection when it aborts. The promise rejects with the code `cancelled`. */
  signal?: AbortSignal;
}
