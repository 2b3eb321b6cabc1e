/** A path: a string, a `file:` URL, or bytes for a name that is not UTF-8. */
export type PathLike = string | Uint8Array | URL;

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
/** The name of a phase of a copy. */
export type CopyPhaseName = (typeof copyPhaseNames)[number];

/** How the engine copies bytes: as shared blocks, inside the kernel, or through a buffer of this process. */
export type CopyMethod = 'clone' | 'kernel-copy' | 'read-write';

/** Options of `copyFile` and `startCopy`. */
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
  /** Any text. The sidecar contains it for its reader, for example the id of a storage pool. */
  tag?: string;
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
   * What to do when a program has the source open for writing: `fail` with `source_in_use`, or `warn` with the
   * warning `source_open_for_writing` in the result.
   * @default 'warn'
   */
  ifInUse?: 'fail' | 'warn';
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
  minFreeBytes?: number;
  /**
   * Keeps partial and sidecar after a temporary failure (`no_space`, `quota`, `io_error`, `read_only`,
   * `resources`, `busy`), so that the copy can be resumed.
   * @default false
   */
  keepPartial?: boolean;
  /**
   * Keeps the sidecar after success until `forget()` is called.
   * @default false
   */
  keepSidecar?: boolean;
  /**
   * `off` uses Node's own fs only, as if koffi were missing.
   * @default 'auto'
   */
  native?: 'auto' | 'off';
  /**
   * Cancels the copy when it aborts. The promise rejects with a CopyError that has the name `AbortError`, the code
   * `cancelled` and the signal's reason as `cause`.
   */
  signal?: AbortSignal;
  /**
   * Called at the start of each phase. The message may arrive late and never delays the copy. An error that a callback
   * throws cancels the copy, and the promise rejects with that error.
   */
  onPhase?: (phase: CopyPhaseEvent) => void;
  /** Called every 100 ms while the copy runs, and once more before the promise resolves. */
  onProgress?: (progress: CopyProgress) => void;
}

/** The start of a phase, or new facts about the running one. */
export interface CopyPhaseEvent {
  phase: CopyPhaseName;
  /** What the phase counts; null: nothing. */
  unit: 'bytes' | 'steps' | null;
  /** Bytes of the phase; null for a phase that does not count bytes. */
  totalBytes: number | null;
  /** All facts so far. */
  facts?: Partial<CopyFacts>;
}

/** What is known about a copy. Before the source is inspected, sizes are 0 and all other facts null. */
export interface CopyFacts {
  /** Size of the source. */
  virtualBytes: number;
  /** Bytes of the source that are not in holes. */
  dataBytes: number;
  /** How the bytes are copied; null until that is decided. */
  method: CopyMethod | null;
  /** Why blocks could not be shared; null if they were shared, or if `method` is `copy`. */
  cloneRefused: string | null;
  /** Data bytes that an earlier run has copied; null for a copy from the beginning. */
  resumedAtBytes: number | null;
  /** Why an earlier partial of this id was discarded, for example `source_changed` or `newer_checkpoint`. */
  restartedBecause: string | null;
}

/** Progress of a copy. Reading it from shared memory takes microseconds and never blocks. */
export interface CopyProgress {
  /** The running phase; `publish` after the end. */
  phase: CopyPhaseName;
  /** `waiting`: for a worker. */
  state: 'waiting' | 'running' | 'paused' | 'ended';
  /**
   * Data bytes of this phase that have been written back; with `durable: false`, bytes handed to the kernel.
   * 0 outside `transfer` and `verify`.
   */
  doneBytes: number;
  /** Data bytes before the last checkpoint: they survive a power cut. */
  durableBytes: number;
  /** Bytes of this phase; null for a phase that does not count bytes. */
  totalBytes: number | null;
  /** Data bytes of the whole source; null until it is inspected. `sharedBytes` and `writtenBytes` grow up to it. */
  dataBytes: number | null;
  /** Bytes in holes. */
  skippedBytes: number;
  /** Bytes whose blocks source and copy share. */
  sharedBytes: number;
  /** Bytes handed to the kernel so far, by earlier runs too. */
  writtenBytes: number;
  /** Time since the worker last made progress. It grows while the storage hangs. */
  sinceProgressMs: number;
  elapsedMs: number;
  phaseElapsedMs: number;
}

/**
 * A running copy. `for await (const progress of job)` yields its progress now, every 100 ms, and once more after its
 * success; a slow loop gets the latest progress, never a backlog. The loop throws the failure of the copy. Leaving the
 * loop early does not stop the copy.
 *
 * Handle the failure: await `done`, or run the loop to its end. Otherwise Node reports an unhandled rejection.
 */
export interface CopyJob extends AsyncIterable<CopyProgress> {
  /** Names the partial and the sidecar. */
  readonly id: string;
  /** Rejects with a CopyError, or with the error that a callback of the caller has thrown. */
  readonly done: Promise<CopyResult>;
  /** The progress of now, from shared memory. */
  progress(): CopyProgress;
  /** What is known about the copy. It arrives by message, so it may be late. */
  facts(): CopyFacts;
  /** Stops and removes partial and sidecar; `done` rejects with `cancelled`. A published copy stays, and `done` resolves. */
  cancel(): void;
  /** Stops at a checkpoint and keeps partial and sidecar; `done` rejects with `interrupted`. */
  suspend(): void;
  /** Pauses between two windows. A pause begins with a checkpoint. */
  pause(): void;
  /** Continues after a pause. */
  resume(): void;
  /**
   * @param bytesPerSecond null: no limit
   * @throws CopyError `invalid_option` for a number below 1 or any other value
   */
  setLimit(bytesPerSecond: number | null): void;
}

/** The result of a complete copy. */
export interface CopyResult {
  method: CopyMethod;
  /** `virtual` = `data` + `skipped`; `data` = `shared` + `written`. Includes the work of earlier runs. */
  bytes: { virtual: number; data: number; skipped: number; shared: number; written: number };
  elapsedMs: number;
  phases: { name: CopyPhaseName; elapsedMs: number }[];
  /** Inode of the new file, in decimal. */
  inode: string;
  /** Codes, for example `source_open_for_writing` or `published_without_exclusive_rename`. */
  warnings: string[];
  /** Whether the copy continued the work of an earlier run. */
  resumed: boolean;
}

/**
 * Identifies one state of a file, as decimal numbers. Does not contain `st_dev`, because btrfs changes that number at
 * each mount.
 */
export interface FileIdentity {
  inode: string;
  size: string;
  mtimeNs: string;
  /**
   * A program can set the modification time back after a write, but not the change time. Renaming a file or changing
   * its mode also changes it.
   */
  ctimeNs: string;
}
