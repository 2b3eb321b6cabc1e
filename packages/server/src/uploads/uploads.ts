import type { MatchedUpload, MatchUploadInput, Upload, UploadList } from '@wcc/api';
import pLimit from 'p-limit';
import type { Principal } from '../access/principal.ts';
import type { ImagesContext } from '../images/context.ts';
import { systemClock } from '../concurrency/clock.ts';
import type { Clock } from '../concurrency/clock.ts';
import { createKeyedMutex } from '../concurrency/mutex.ts';
import { createUploadAction } from './action.ts';
import type { UploadsContext, UploadSettings } from './context.ts';
import { createUpload } from './create.ts';
import type { CreateRequest } from './create.ts';
import { expireUploads, watchExpiry } from './expire.ts';
import { createIdleTimes } from './idle-times.ts';
import { headUpload } from './head.ts';
import { describeProtocol } from './headers.ts';
import type { TusAnswer, TusRequest } from './headers.ts';
import { getUpload, listUploads } from './list.ts';
import { matchUpload } from './match.ts';
import { patchUpload } from './patch.ts';
import { terminateUpload } from './terminate.ts';

/** Maximum concurrent syncs: each occupies one of Node's four threads for files until the disk is done. */
const maxConcurrentSyncs = 2;

export interface UploadsOptions {
  images: ImagesContext;
  settings: UploadSettings;
  clock?: Clock;
}

/** Uploads by tus 1.0. Every call checks the rights of its principal. */
export interface Uploads {
  options(): TusAnswer;
  create(request: CreateUploadRequest): Promise<TusAnswer>;
  head(id: string, request: TusRequest): Promise<TusAnswer>;
  patch(id: string, request: TusRequest): Promise<TusAnswer>;
  terminate(id: string, request: TusRequest): Promise<TusAnswer>;
  /** Removes expired uploads, and releases the space of quiet ones. A timer also does this regularly. */
  expire(): Promise<void>;
  list(principal: Principal, owner: 'me' | 'all'): Promise<UploadList>;
  get(principal: Principal, id: string): Promise<Upload>;
  match(principal: Principal, id: string, claim: MatchUploadInput): Promise<MatchedUpload>;
  close(): void;
}

export type CreateUploadRequest = Omit<CreateRequest, 'action'>;

export function createUploads({ images, settings, clock = systemClock }: UploadsOptions): Uploads {
  const context: UploadsContext = {
    images,
    settings,
    clock,
    idleTimes: createIdleTimes(images.store, images.operations.retention),
    sessions: new Map(),
    scratch: new Map(),
    syncLimit: pLimit(maxConcurrentSyncs),
    userMutex: createKeyedMutex(),
    promiseMutex: createKeyedMutex(),
  };
  const action = createUploadAction(context);
  images.operations.register(action);
  const stopExpiry = watchExpiry(context);
  return {
    options: () => describeProtocol(images.maxVirtualSizeBytes),
    create: (request) => createUpload(context, { ...request, action }),
    head: (id, request) => headUpload(context, id, request),
    patch: (id, request) => patchUpload(context, id, request),
    terminate: (id, request) => terminateUpload(context, id, request),
    expire: () => expireUploads(context),
    list: (principal, owner) => listUploads(context, principal, owner),
    get: (principal, id) => getUpload(context, principal, id),
    match: (principal, id, claim) => matchUpload(context, id, { principal, claim }),
    close: stopExpiry,
  };
}
