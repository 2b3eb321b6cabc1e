import type { FileDigest } from './digest.ts';
import type { FileFacts, InspectOptions } from './file-facts.ts';
import type { TreeRequest, TreeStepResult } from './tree.ts';
import type { CopyFacts, CopyPhaseEvent, CopyPhaseName, CopyResult } from './types.ts';
import type { WireError } from './wire-error.ts';

/** A copy as the worker receives it: absolute paths in bytes, every option set. */
export interface CopyRequest {
  kind: 'copy';
  memory: SharedArrayBuffer;
  id: string;
  tag: string | null;
  source: Uint8Array;
  destination: Uint8Array;
  method: 'auto' | 'clone' | 'copy';
  resume: boolean;
  overwrite: boolean;
  verify: boolean;
  durable: boolean;
  preallocate: boolean;
  detectZeros: boolean;
  ifInUse: 'fail' | 'warn';
  checkpointIntervalMs: number;
  checkpointBytes: number;
  minFreeBytes: number;
  keepPartial: boolean;
  keepSidecar: boolean;
  native: 'auto' | 'off';
  /** The copy was parked in a pause, and continues; null: it begins. */
  continues: CopyContinuation | null;
}

/** What a parked copy knows beside its checkpoint. */
export interface CopyContinuation {
  facts: CopyFacts;
  warnings: string[];
  /** The phases so far. The last one continues. */
  phases: { name: CopyPhaseName; elapsedMs: number }[];
  elapsedMs: number;
  /** `process.hrtime` when the copy was parked, because each thread has its own `performance.now()`. */
  parkedAtNs: bigint;
  /** The verification has compared every byte before this offset. */
  verifiedOffset: bigint;
}

/**
 * The end of a run in a long pause: the copy has a checkpoint, has closed its files and left its thread. Without a
 * continuation nothing was copied yet, so the copy begins again.
 */
export interface ParkedCopy {
  isParked: true;
  continuation: CopyContinuation | null;
}

export interface InspectRequest {
  kind: 'inspect';
  path: Uint8Array;
  options: Required<Omit<InspectOptions, 'signal'>>;
  /** Where the previous request for this file ended; null: at the beginning. */
  from: InspectPosition | null;
}

/** An incomplete list for another thread. The ranges are shared, not copied. */
export interface PackedExtents {
  /** Of a `SharedArrayBuffer`. The type says less, because old compilers do not know it with a parameter. */
  bounds: BigInt64Array;
  length: number;
  mergedGap: bigint;
  extentCount: number;
  dataBytes: bigint;
}

/** How far the extents of a file are counted. One request counts for a short time, so that others can run. */
export interface InspectPosition {
  inode: bigint;
  extents: PackedExtents;
  offset: bigint;
  unwritten: 'unknown' | 'some' | 'none';
}

export interface CanCloneRequest {
  kind: 'canClone';
  /** Names the hidden file that the trial creates. */
  id: string;
  source: Uint8Array;
  directory: Uint8Array;
}

/** Publishes a received file under its final name. */
export interface PublishRequest {
  kind: 'publish';
  destination: Uint8Array;
  /** Names the partial and the sidecar beside the destination. */
  id: string;
}

export interface DigestRequest {
  kind: 'digest';
  path: Uint8Array;
  /** `digestSlot` names its cells. */
  memory: SharedArrayBuffer;
}

/** Does no work. It starts a worker and loads the modules it needs. */
export interface WarmRequest {
  kind: 'warm';
}

export type WorkerRequest =
  CopyRequest | TreeRequest | InspectRequest | CanCloneRequest | PublishRequest | DigestRequest | WarmRequest;

/** The same warnings as in a copy's result. */
export interface PublishResult {
  warnings: string[];
}

/** The result of each kind of request. */
export interface WorkerResults {
  copy: CopyResult | ParkedCopy;
  tree: TreeStepResult;
  inspect: FileFacts | { unfinished: InspectPosition };
  canClone: boolean;
  publish: PublishResult;
  digest: FileDigest;
  warm: boolean;
}

/** The events that a request of each kind sends while it runs. */
export interface WorkerEvents {
  copy: CopyPhaseEvent;
}

export type WorkerMessage =
  /** The thread has loaded, and handles requests. */
  | { kind: 'ready' }
  | { kind: 'event'; event: WorkerEvents[keyof WorkerEvents] }
  | { kind: 'result'; result: WorkerResults[keyof WorkerResults] }
  | { kind: 'error'; error: WireError };
