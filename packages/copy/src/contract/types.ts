/** A path: text, or bytes where a name is not UTF-8. */
export type PathLike = string | Uint8Array;

export type CopyPhaseName = 'inspect' | 'reserve' | 'clone' | 'transfer' | 'flush' | 'verify' | 'publish';

/** How the bytes came over: shared blocks, inside the kernel, or through a buffer of this process. */
export type CopyMethod = 'clone' | 'kernel-copy' | 'read-write';

export interface CopyOptions {
  /**
   * `clone` shares blocks or fails, `copy` makes new blocks, `auto` clones where it can.
   * @default 'auto'
   */
  method?: 'auto' | 'clone' | 'copy';
  /**
   * Names the partial `.wcc-<id>.partial` and the sidecar `.wcc-<id>.json` beside the destination:
   * 1 to 64 letters, digits, `_` and `-`.
   * @default a random one
   */
  id?: string;
  /** Stored in the sidecar, for whoever finds it. */
  poolId?: string;
  /**
   * Goes on from the checkpoint of this id when there is one and it fits.
   * @default true
   */
  resume?: boolean;
  /** @default false */
  overwrite?: boolean;
  /**
   * Compares the copy, read back from the storage, with its source before it is published.
   * @default false
   */
  verify?: boolean;
  /**
   * `false` leaves out write-back, fsync and checkpoints: for scratch copies.
   * @default true
   */
  durable?: boolean;
  /**
   * Allocates the blocks beforehand: less fragmentation, slower on ext4.
   * @default false
   */
  preallocate?: boolean;
  /**
   * Leaves holes where the source has blocks of zeros; only where bytes pass through a buffer.
   * @default false
   */
  detectZeros?: boolean;
  /**
   * Fails with `source_in_use` when somebody has the source open for writing; otherwise that is a warning.
   * @default false
   */
  refuseWriters?: boolean;
  /** @default null (no limit) */
  bytesPerSecond?: number | null;
  /** How often the durable point moves on; whichever comes first. Defaults: 5000 ms, 1 GiB. */
  checkpoint?: { intervalMs?: number; bytes?: number };
  /**
   * Refused with `no_space` when less than this would remain free.
   * @default 0
   */
  freeSpaceFloorBytes?: number;
  /**
   * Keeps partial and sidecar after `no_space`, `quota` and `io_error`, so that the copy can be resumed.
   * @default false
   */
  keepOnFailure?: boolean;
  /**
   * Leaves the sidecar in place after success until `forget()` is called.
   * @default false
   */
  keepSidecar?: boolean;
  /**
   * `off` does without kernel calls, as where koffi is missing.
   * @default 'auto'
   */
  kernelCalls?: 'auto' | 'off';
  /** Aborting cancels. */
  signal?: AbortSignal;
  /** A message from the worker thread: may be late, never delays the copy. */
  onPhase?: (phase: CopyPhaseEvent) => void;
}

export interface CopyPhaseEvent {
  phase: CopyPhaseName;
  unit: 'bytes' | 'steps' | null;
  totalBytes: number | null;
  facts?: Partial<CopyFacts>;
}

export interface CopyFacts {
  virtualBytes: number;
  dataBytes: number;
  method: CopyMethod | null;
  /** Why blocks could not be shared; null when they were, or when nobody asked. */
  cloneRefused: string | null;
  resumedAtBytes: number | null;
  /** Why an earlier partial of this id was thrown away, e.g. `source_changed`. */
  restartedBecause: string | null;
}

/** Read synchronously from shared memory: costs nothing and never blocks. */
export interface CopyProgress {
  phase: CopyPhaseName;
  state: 'waiting' | 'running' | 'paused' | 'ended';
  /** Data bytes of this phase that are written back (with `durable: false`: handed over). 0 outside transfer and verify. */
  doneBytes: number;
  /** Data bytes behind the last checkpoint. */
  durableBytes: number;
  totalBytes: number | null;
  skippedBytes: number;
  sharedBytes: number;
  writtenBytes: number;
  /** Time since the worker last got on: grows while a storage hangs. */
  sinceProgressMs: number;
  elapsedMs: number;
  phaseElapsedMs: number;
}

export interface CopyJob {
  readonly id: string;
  /** Rejects with a CopyError; a rejection nobody listens to does no harm. */
  readonly done: Promise<CopyResult>;
  progress(): CopyProgress;
  facts(): CopyFacts;
  /** Stops and removes everything; `done` rejects with `cancelled`, or resolves when it was published already. */
  cancel(): void;
  /** Stops at a checkpoint and keeps partial and sidecar; `done` rejects with `interrupted`. */
  interrupt(): void;
  pause(): void;
  resume(): void;
  /** Throws a CopyError `invalid_option` for anything but null or a number of at least 1. */
  setLimit(bytesPerSecond: number | null): void;
}

export interface CopyResult {
  method: CopyMethod;
  /** `virtual` = `data` + `skipped`; `data` = `shared` + `written`, the work of earlier runs included. */
  bytes: { virtual: number; data: number; skipped: number; shared: number; written: number };
  elapsedMs: number;
  phases: { name: CopyPhaseName; elapsedMs: number }[];
  /** Inode of the new file, in decimal. */
  inode: string;
  warnings: string[];
  resumed: boolean;
}

/** Identifies one state of a file. Without `st_dev`, because btrfs changes it at each mount. */
export interface SourceIdentity {
  inode: string;
  size: string;
  mtimeNs: string;
}
