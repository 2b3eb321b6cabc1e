/** A path: a string, or bytes for a name that is not UTF-8. */
export type PathLike = string | Uint8Array;

/** All phases of a copy, in their order. `method` and `verify` decide which of them a copy has. */
export const copyPhaseNames = [
  'inspect',
  'reserve',
  'clone',
  'transfer',
  'flush',
  'verify',
  'publish',
] as const;
export type CopyPhaseName = (typeof copyPhaseNames)[number];

/** How the engine copies bytes: as shared blocks, inside the kernel, or through a buffer of this process. */
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
   * @default a random id
   */
  id?: string;
  /** Id of the pool. The sidecar contains it, so that a later reader knows the pool. */
  poolId?: string;
  /**
   * Resumes from the checkpoint of this id, if there is one that matches source and destination.
   * @default true
   */
  resume?: boolean;
  /**
   * Replaces a regular file that has the destination's name.
   * @default false
   */
  overwrite?: boolean;
  /**
   * Reads the copy back from the storage and compares it with its source before publishing it.
   * @default false
   */
  verify?: boolean;
  /**
   * `false` skips write-back, fsync and checkpoints. Use it for scratch copies.
   * @default true
   */
  durable?: boolean;
  /**
   * Allocates the blocks before copying. This fragments less and is slower on ext4.
   * @default false
   */
  preallocate?: boolean;
  /**
   * Writes no blocks for pages of zeros. Works only when bytes pass through a buffer.
   * @default false
   */
  detectZeros?: boolean;
  /**
   * Fails with `source_in_use` when a program has the source open for writing. Otherwise the result has a warning.
   * @default false
   */
  refuseWriters?: boolean;
  /**
   * Limit of the transfer in bytes per second.
   * @default null (no limit)
   */
  bytesPerSecond?: number | null;
  /**
   * The copy sets a checkpoint after this time or this many data bytes, whichever comes first. Defaults: 5000
   * ms, 1 GiB.
   */
  checkpoint?: { intervalMs?: number; bytes?: number };
  /**
   * Bytes that must stay free at the destination. The copy is refused with `no_space` when fewer would remain.
   * @default 0
   */
  freeSpaceFloorBytes?: number;
  /**
   * Keeps partial and sidecar after a temporary failure (`no_space`, `quota`, `io_error`, `read_only`,
   * `resources`, `busy`), so that the copy can be resumed.
   * @default false
   */
  keepOnFailure?: boolean;
  /**
   * Keeps the sidecar after success until `forget()` is called.
   * @default false
   */
  keepSidecar?: boolean;
  /**
   * `off` uses Node's own fs only, as if koffi were missing.
   * @default 'auto'
   */
  kernelCalls?: 'auto' | 'off';
  /** Cancels the copy when it aborts. */
  signal?: AbortSignal;
  /** Called at the start of each phase. The message may arrive late and never delays the copy. */
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
  /** Why blocks could not be shared; null if they were shared, or if `method` is `copy`. */
  cloneRefused: string | null;
  resumedAtBytes: number | null;
  /** Why an earlier partial of this id was discarded, for example `source_changed` or `newer_checkpoint`. */
  restartedBecause: string | null;
}

/** Progress of a copy. Reading it from shared memory takes microseconds and never blocks. */
export interface CopyProgress {
  phase: CopyPhaseName;
  state: 'waiting' | 'running' | 'paused' | 'ended';
  /**
   * Data bytes of this phase that have been written back; with `durable: false`, bytes handed to the kernel.
   * 0 outside `transfer` and `verify`.
   */
  doneBytes: number;
  /** Data bytes before the last checkpoint: they survive a power cut. */
  durableBytes: number;
  totalBytes: number | null;
  skippedBytes: number;
  sharedBytes: number;
  writtenBytes: number;
  /** Time since the worker last made progress. It grows while the storage hangs. */
  sinceProgressMs: number;
  elapsedMs: number;
  phaseElapsedMs: number;
}

export interface CopyJob {
  readonly id: string;
  /** Rejects with a CopyError. An unhandled rejection does not end the process. */
  readonly done: Promise<CopyResult>;
  progress(): CopyProgress;
  facts(): CopyFacts;
  /** Stops and removes partial and sidecar; `done` rejects with `cancelled`. A published copy stays, and `done` resolves. */
  cancel(): void;
  /** Stops at a checkpoint and keeps partial and sidecar; `done` rejects with `interrupted`. */
  interrupt(): void;
  pause(): void;
  resume(): void;
  /**
   * @param bytesPerSecond null: no limit
   * @throws CopyError `invalid_option` for a number below 1 or any other value
   */
  setLimit(bytesPerSecond: number | null): void;
}

export interface CopyResult {
  method: CopyMethod;
  /** `virtual` = `data` + `skipped`; `data` = `shared` + `written`. Includes the work of earlier runs. */
  bytes: { virtual: number; data: number; skipped: number; shared: number; written: number };
  elapsedMs: number;
  phases: { name: CopyPhaseName; elapsedMs: number }[];
  /** Inode of the new file, in decimal. */
  inode: string;
  warnings: string[];
  resumed: boolean;
}

/** Identifies one state of a file. Does not contain `st_dev`, because btrfs changes that number at each mount. */
export interface SourceIdentity {
  inode: string;
  size: string;
  mtimeNs: string;
}
