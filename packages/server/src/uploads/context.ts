import type { Hash } from 'node:crypto';
import type { ImagesContext } from '../images/context.ts';
import type { Clock } from '../operations/clock.ts';
import type { Mutex } from '../operations/mutex.ts';
import type { Gate } from './bytes/limiter.ts';
import type { Inspected } from './inspect.ts';
import type { Sitting } from './upload-session.ts';

export interface UploadSettings {
  /** Nobody went on with it for so long: it is removed. */
  expiryMs: number;
  /** Bytes that the unfinished uploads of one user may have in all; null: as much as there is room. */
  quotaBytes: number | null;
  /** Unfinished uploads of one user. */
  maxPerUser: number;
}

/** What all parts of uploads share. */
export interface UploadsContext {
  readonly images: ImagesContext;
  readonly settings: UploadSettings;
  readonly clock: Clock;
  /** Of the uploads that run, by id. */
  readonly sittings: Map<string, Sitting>;
  /** What is remembered of uploads that have not ended, by id. Losing it at a restart costs time only. */
  readonly memories: Map<string, UploadMemory>;
  /** Syncs at the same time: each keeps one of Node's few threads busy, and the disk is one. */
  readonly syncGate: Gate;
  /** A user's uploads are counted and added to in one step. */
  readonly userMutex: (userId: string) => Mutex;
}

export interface UploadMemory {
  /** SHA-256 of the bytes up to an offset. */
  digest: { hash: Hash; atBytes: number } | null;
  /** What the inspection said of the complete file. */
  inspected: Inspected | null;
  warnings: Set<string>;
  /** Monotonic time of the last answer that its client got. */
  answeredAtMs: number;
}

export function memoryOf({ memories, clock }: UploadsContext, id: string): UploadMemory {
  const known = memories.get(id);
  if (known) return known;
  const made = {
    digest: null,
    inspected: null,
    warnings: new Set<string>(),
    answeredAtMs: clock.monotonicMs(),
  };
  memories.set(id, made);
  return made;
}
