import type { LimitFunction } from 'p-limit';
import type { ImagesContext } from '../images/context.ts';
import type { Clock } from '../concurrency/clock.ts';
import type { Mutex } from '../concurrency/mutex.ts';
import type { IdleTimes } from './idle-times.ts';
import type { UploadSession } from './upload-session.ts';
import type { UploadScratch } from './upload.ts';

/** `freeFraction`: of the space that would be free in the pool without these uploads. */
export type UploadQuota = { bytes: number } | { freeFraction: number };

export interface UploadSettings {
  /** Time without new bytes after which wcc removes an upload. */
  expiryMs: number;
  /** Maximum total size of a user's unfinished uploads. It does not bind administrators. */
  quota: UploadQuota;
  /** Maximum number of a user's unfinished uploads. */
  maxPerUser: number;
}

/** Shared by all parts of uploads. */
export interface UploadsContext {
  readonly images: ImagesContext;
  readonly settings: UploadSettings;
  readonly clock: Clock;
  readonly idleTimes: IdleTimes;
  /** Running uploads by id. */
  readonly sessions: Map<string, UploadSession>;
  /** State of unfinished uploads by id. */
  readonly scratch: Map<string, UploadScratch>;
  /** Limits concurrent syncs: each occupies one of Node's few threads for files, and all wait for one disk. */
  readonly syncLimit: LimitFunction;
  /** Serializes the quota check and the creation of a user's uploads. */
  readonly userMutex: (userId: string) => Mutex;
  /** Serializes the changes of an upload's space promise. */
  readonly promiseMutex: (id: string) => Mutex;
}

/** The state of an upload, created at first use. */
export function scratchOf({ scratch, clock }: UploadsContext, id: string): UploadScratch {
  const known = scratch.get(id);
  if (known) return known;
  const created = {
    digest: null,
    inspected: null,
    warnings: new Set<string>(),
    announcedMs: null,
    answeredAtMs: clock.monotonicMs(),
    quietSinceMs: clock.monotonicMs(),
    isPromised: null,
  };
  scratch.set(id, created);
  return created;
}
