import type { CopyError } from './errors.ts';
import type { WireError } from './wire-error.ts';

/** Options of `copyTree`. */
export interface CopyTreeOptions {
  /**
   * Names the hidden staging directory `.wcc-<id>.partial` and its sidecar: 1 to 64 letters, digits, `_` and `-`.
   * @default derived from both paths, so that the same call after a crash finds its own staging directory
   */
  id?: string;
  /**
   * `clone` shares blocks or fails, `copy` makes new blocks, `auto` clones where it can.
   * @default 'auto'
   */
  method?: 'auto' | 'clone' | 'copy';
  /**
   * Copies into a destination directory that exists. Without `overwrite`, no entry may have the name of an existing
   * file; the copy checks that before it writes anything.
   * @default false
   */
  merge?: boolean;
  /**
   * With `merge`: replaces existing files and symlinks, each atomically. A directory never replaces a file, and a
   * file never replaces a directory.
   * @default false
   */
  overwrite?: boolean;
  /**
   * What to do with symlinks: `copy` makes a link with the same target, `skip` leaves them out, `fail` refuses the
   * tree before anything is written. The copy never follows a symlink.
   * @default 'copy'
   */
  symlinks?: 'copy' | 'skip' | 'fail';
  /**
   * What to do with sockets, FIFOs and devices: `skip` leaves them out and lists them in the result, `fail` refuses
   * the tree before anything is written.
   * @default 'skip'
   */
  special?: 'skip' | 'fail';
  /**
   * `stop` ends the copy at the first error. `skip` leaves out what cannot be read, or has a name or size that the
   * destination does not allow, and lists it in the result. Errors of the destination as a whole always stop.
   * @default 'stop'
   */
  onError?: 'stop' | 'skip';
  /**
   * Keeps owner, group, setuid and setgid bits too. Needs the rights to do so.
   * @default false
   */
  preserveOwner?: boolean;
  /**
   * `false` publishes the tree without a flush. Use it for scratch copies.
   * @default true
   */
  durable?: boolean;
  /**
   * Reuses the complete files of an earlier run with the same id that ended by a crash. A file whose source or copy has
   * another change time than the run recorded is compared first.
   * @default true
   */
  resume?: boolean;
  /**
   * Keeps the staging directory after a failure, so that the same call can resume. A cancelled copy removes it.
   * @default false
   */
  keepPartial?: boolean;
  /**
   * Bytes that must stay free at the destination.
   * @default 0
   */
  minFreeBytes?: number;
  /**
   * Worker threads that copy at once, at most the number of processors.
   * @default 2
   */
  concurrency?: number;
  /**
   * `off` uses Node's own fs only, as if koffi were missing.
   * @default 'auto'
   */
  native?: 'auto' | 'off';
  /** Cancels the copy when it aborts. */
  signal?: AbortSignal;
  /** Called every 100 ms while the copy runs, and once after its success. */
  onProgress?: (progress: CopyTreeProgress) => void;
}

/** Progress of a tree. The totals are known from the end of the scan on. */
export interface CopyTreeProgress {
  /** `scan` counts, `copy` writes, `flush` makes everything durable, `publish` gives the final names. */
  phase: 'scan' | 'copy' | 'flush' | 'publish';
  /** Files, symlinks and further hard links that are written. Never decreases. */
  doneFiles: number;
  /** Null during the scan. */
  totalFiles: number | null;
  /** Sizes of the files that are written; a hole counts like data. Durable once the phase `flush` has ended. */
  doneBytes: number;
  /** Null during the scan. */
  totalBytes: number | null;
  /** The entry at work, relative to the source; null before the first. Bytes that are not UTF-8 become U+FFFD. */
  path: string | null;
  elapsedMs: number;
}

/** What `copyTree` has copied. */
export interface CopyTreeResult {
  /** Regular files. A file with several hard links inside the tree counts once. */
  files: number;
  /** Directories, the tree's own root included. */
  directories: number;
  symlinks: number;
  /** Further names of files that are already counted. */
  hardLinks: number;
  /** Sum of the file sizes. */
  bytes: number;
  /** Sockets, FIFOs, devices, and symlinks with `symlinks: 'skip'`: the first 1,000. */
  skipped: { path: string; kind: string }[];
  skippedCount: number;
  /** What `onError: 'skip'` left out: the first 1,000. */
  failed: CopyError[];
  failedCount: number;
  /** Files that an earlier run had already copied. */
  reusedFiles: number;
  warnings: string[];
  elapsedMs: number;
}

/** Descriptors of the caller, and the paths to show for them. */
export interface TreeRoots {
  source: { fd: number; path: Uint8Array };
  /** The directory that contains the staging directory: the parent of the destination, or the destination itself. */
  parent: { fd: number; path: Uint8Array };
  /** Null until the staging directory is open. */
  staging: { fd: number; name: string; isNew: boolean } | null;
  /** The final path, and its name in `parent`; `name` is null when the staged entries are merged into `parent`. */
  destination: { path: Uint8Array; name: Uint8Array | null };
}

export type TreeStep = 'scan' | 'prepare' | 'copy' | 'flush' | 'publish' | 'measure' | 'discard';

/** One step of `copyTree` for one worker: every option set. */
export interface TreeRequest {
  kind: 'tree';
  step: TreeStep;
  id: string;
  roots: TreeRoots;
  /** The worker copies the entries whose names belong to its shard. */
  shard: number;
  shards: number;
  /** Progress of this shard, and requests to stop: see `tree-slot.ts`. */
  memory: SharedArrayBuffer;
  /** The slot of the large file at work, see `slot.ts`. */
  fileMemory: SharedArrayBuffer;
  /** True in the steps after `prepare` when the staging directory has files of an earlier run. */
  resumed: boolean;
  /** What the scan has counted. */
  totals: TreeTotals;
  method: 'auto' | 'clone' | 'copy';
  overwrite: boolean;
  symlinks: 'copy' | 'skip' | 'fail';
  special: 'skip' | 'fail';
  onError: 'stop' | 'skip';
  preserveOwner: boolean;
  durable: boolean;
  resume: boolean;
  keepPartial: boolean;
  minFreeBytes: number;
  native: 'auto' | 'off';
}

export interface TreeTotals {
  files: number;
  directories: number;
  symlinks: number;
  hardLinks: number;
  bytes: number;
  /** Bytes that new blocks for all files would occupy. */
  allocatedBytes: number;
}

export interface TreeStepResult {
  totals: TreeTotals;
  skipped: { path: string; kind: string }[];
  skippedCount: number;
  failed: WireError[];
  failedCount: number;
  reusedFiles: number;
  warnings: string[];
  /** How to continue after the steps `scan` and `prepare`. `published`: only the sidecar is left to remove. */
  next: 'copy' | 'resume' | 'publish' | 'published';
}

export function emptyTotals(): TreeTotals {
  return { files: 0, directories: 0, symlinks: 0, hardLinks: 0, bytes: 0, allocatedBytes: 0 };
}
