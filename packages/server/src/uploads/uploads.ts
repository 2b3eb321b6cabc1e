import type { MatchedUpload, MatchUploadInput, Upload, UploadList, UploadMetadata } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import type { ImagesContext } from '../images/context.ts';
import { systemClock } from '../operations/clock.ts';
import type { Clock } from '../operations/clock.ts';
import { createKeyedMutex } from '../operations/mutex.ts';
import { createUploadAction } from './action.ts';
import { createGate } from './bytes/limiter.ts';
import type { UploadsContext, UploadSettings } from './context.ts';
import { createUpload } from './create.ts';
import { expireUploads, watchExpiry } from './expire.ts';
import { headUpload } from './head.ts';
import type { TusAnswer, TusRequest } from './headers.ts';
import { getUpload, listUploads } from './list.ts';
import { matchUpload } from './match.ts';
import { describeProtocol } from './options.ts';
import { patchUpload } from './patch.ts';
import { terminateUpload } from './terminate.ts';

/** Node has four threads for files; a sync holds one for as long as the disk takes. */
const syncsAtOnce = 2;

export interface UploadsOptions {
  images: ImagesContext;
  settings: UploadSettings;
  clock?: Clock;
}

/** Files that come from outside, by tus 1.0. Every call checks the right of its principal. */
export interface Uploads {
  options(): TusAnswer;
  create(request: CreateOrder): Promise<TusAnswer>;
  head(id: string, request: TusRequest): Promise<TusAnswer>;
  patch(id: string, request: TusRequest): Promise<TusAnswer>;
  terminate(id: string, request: TusRequest): Promise<TusAnswer>;
  /** Ends what has expired by now; it is done from time to time without being asked. */
  expire(): Promise<void>;
  list(principal: Principal, owner: 'me' | 'all'): Promise<UploadList>;
  get(principal: Principal, id: string): Promise<Upload>;
  match(principal: Principal, id: string, claim: MatchUploadInput): Promise<MatchedUpload>;
  /** Stops the requests of whoever may send no more: within this call, not at the next byte. */
  closeSessions(isOver: (principal: Principal) => boolean): void;
  close(): void;
}

export interface CreateOrder extends TusRequest {
  metadata: UploadMetadata;
  idempotencyKey: string | null;
}

export function createUploads({ images, settings, clock = systemClock }: UploadsOptions): Uploads {
  const context: UploadsContext = {
    images,
    settings,
    clock,
    sittings: new Map(),
    memories: new Map(),
    syncGate: createGate(syncsAtOnce),
    userMutex: createKeyedMutex(),
  };
  const action = createUploadAction(context);
  images.operations.register(action);
  const stopExpiry = watchExpiry(context);
  return {
    options: describeProtocol,
    create: (order) => createUpload(context, { ...order, action }),
    head: (id, request) => headUpload(context, id, request),
    patch: (id, request) => patchUpload(context, id, request),
    terminate: (id, request) => terminateUpload(context, id, request),
    expire: () => expireUploads(context),
    list: (principal, owner) => listUploads(context, principal, owner),
    get: (principal, id) => getUpload(context, principal, id),
    match: (principal, id, claim) => matchUpload(context, id, { principal, claim }),
    closeSessions(isOver) {
      for (const { sender } of context.sittings.values()) {
        if (sender !== null && isOver(sender.principal)) sender.stop('revoked');
      }
    },
    close: stopExpiry,
  };
}
