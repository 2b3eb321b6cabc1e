import { ApiError, routes } from '@wcc/api';
import type { UploadMetadata } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import type { Principal } from '../access/principal.ts';
import { assertRight } from '../access/rules.ts';
import { assertNotEmpty } from '../images/foreign/judge-file.ts';
import { assertNotTooLarge } from '../images/foreign/too-large.ts';
import type { Pool } from '../images/pool/pools.ts';
import { acceptWithSpace } from '../images/publish/accept-with-space.ts';
import type { Action } from '../operations/action.ts';
import { findEarlier, isSameFile, replaceEarlier } from './begin-again.ts';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import { expiresHeader } from './expire.ts';
import { durableOffset, errorOfEnd } from './find.ts';
import { bytesOf, checksumOf, assertContentType, hasBody } from './headers.ts';
import type { TusAnswer, TusRequest } from './headers.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';
import { assertOpen, receiveInto } from './patch.ts';
import { assertQuota } from './quota.ts';

export interface CreateRequest extends TusRequest {
  metadata: UploadMetadata;
  idempotencyKey: string | null;
  action: Action;
  /** Called when the upload exists, with headers for the answer, also for an error: a client must know what it made. */
  onCreated?: (headers: Record<string, string>) => void;
}

/** tus, "Creation", and "Creation With Upload". The operation exists, and is durable, before the first byte. */
export async function createUpload(context: UploadsContext, request: CreateRequest): Promise<TusAnswer> {
  const { raw, principal } = request;
  assertRight(principal, 'image.upload');
  const sizeBytes = lengthOf(request);
  const bringsBytes = hasBody(raw);
  // The Client MUST set Content-Type: application/offset+octet-stream when it sends bytes along.
  if (bringsBytes) assertContentType(raw);
  const checksum = bringsBytes ? checksumOf(raw) : null;
  const { id } = await start(context, { ...request, sizeBytes });
  const live = context.images.operations.clientDriven.find(uploadAction, id);
  const headers: Record<string, string> = { location: routes.upload(id) };
  request.onCreated?.(headers);
  // A repeated creation after the end of its upload still returns its address.
  if (live === null) return { status: 201, headers: { ...headers, 'upload-offset': String(sizeBytes) } };
  Object.assign(headers, await expiresHeader(context, live));
  const durableBytes = await durableOffset(context, live);
  // The upload was found again: its client resumes, and the bytes of this request are not needed.
  if (durableBytes > 0)
    return { status: 201, headers: { ...headers, 'upload-offset': String(durableBytes) } };
  if (!bringsBytes) return { status: 201, headers };
  // The Server MUST send the bytes it accepted in Upload-Offset.
  const offsetBytes = await receiveInto(context, live, { ...request, offsetBytes: 0, checksum });
  return { status: 201, headers: { ...headers, 'upload-offset': String(offsetBytes) } };
}

/** tus, "Upload-Length": a non-negative integer. */
function lengthOf({ raw }: TusRequest): number {
  const sizeBytes = bytesOf(raw.headers, 'upload-length');
  if (sizeBytes === null) throw new ApiError('length_required');
  return sizeBytes;
}

/** Refuses before the first byte, not after hours of sending. tus, "Creation": the Server MUST answer 413. */
function assertAcceptableSize(sizeBytes: number, maxBytes: number): void {
  try {
    assertNotTooLarge(sizeBytes, maxBytes);
  } catch (cause) {
    const { message, hint } = cause as ApiError;
    throw new ApiError('payload_too_large', { field: 'Upload-Length', message, hint, cause });
  }
}

interface Sized extends CreateRequest {
  sizeBytes: number;
}

async function start(context: UploadsContext, request: Sized): Promise<Snapshot> {
  const { operations } = context.images;
  const { principal, sizeBytes, idempotencyKey } = request;
  const { userId } = principal;
  const id = createOperationId();
  const body = { sizeBytes, metadata: request.raw.headers['upload-metadata'] ?? '' };
  const key = { userId, route: 'POST /api/uploads', key: idempotencyKey, body };
  const made = await operations.idempotency.once(key, async (remember) => {
    assertAcceptableSize(sizeBytes, context.images.maxVirtualSizeBytes);
    assertNotEmpty(sizeBytes);
    // Concurrent requests of a user must not exceed the quota together, nor end each other's new uploads.
    return context.userMutex(userId)(async () => {
      const { metadata } = request;
      const pool = await poolOf(context, metadata.pool);
      const beginning = { principal, pool, sizeBytes, metadata };
      const earlier = findEarlier(context, beginning);
      if (earlier !== null && isSameFile(earlier, beginning)) {
        if (idempotencyKey !== null) await context.images.store.write(remember(earlier.id));
        return operations.clientDriven.whenSettled(earlier.id, { waits: false });
      }
      await assertQuota(context, { principal, pool, sizeBytes, replaces: earlier?.id });
      if (earlier !== null && (await replaceEarlier(context, beginning, earlier)))
        scratchOf(context, id).warnings.add('replaced_unfinished');
      const image = context.images.numbers.take();
      await acceptWithSpace(context.images, {
        id,
        action: uploadAction,
        principal,
        pool,
        targetName: metadata.filename,
        needsBytes: sizeBytes,
        subject: { kind: 'image', id: image.id, name: metadata.filename },
        target: null,
        input: inputOf(request, { poolId: pool.id, targetId: image.id }),
        retryOf: null,
        statements: [image.statement, ...remember(id)],
      });
      return open(context, id, principal);
    });
  });
  return made.id === id ? made : reopen(context, made.id);
}

/** Opens the partial: 201 is sent only after the file, its record and their directory are on the disk. */
async function open(context: UploadsContext, id: string, principal: Principal): Promise<Snapshot> {
  const { operations } = context.images;
  try {
    await operations.clientDriven.start(id);
  } catch (error) {
    const snapshot = await operations.clientDriven.whenSettled(id);
    // The client never learns the id of an upload that could not start, so wcc cancels that upload.
    if (operations.isLive(id)) await operations.cancel(id, principal);
    throw snapshot.error === null ? error : errorOfEnd(snapshot);
  }
  return operations.clientDriven.whenSettled(id, { waits: false });
}

/** Opens an upload that an earlier request made. It keeps its bytes, whatever the answer is. */
async function reopen({ images }: UploadsContext, id: string): Promise<Snapshot> {
  const { clientDriven } = images.operations;
  const live = clientDriven.find(uploadAction, id);
  try {
    if (live !== null) await clientDriven.start(id);
  } catch (error) {
    const snapshot = await clientDriven.whenSettled(id, { waits: false });
    if (snapshot.state === 'succeeded') return snapshot;
    if (live !== null) assertOpen(live);
    throw snapshot.error === null ? error : errorOfEnd(snapshot);
  }
  return clientDriven.whenSettled(id, { waits: false });
}

async function poolOf({ images }: UploadsContext, named: string | undefined): Promise<Pool> {
  const id = named ?? images.pools.all()[0]?.id;
  if (id === undefined) throw new ApiError('not_found', { field: 'pool' });
  return images.pools.use(id);
}

function inputOf(request: Sized, { poolId, targetId }: { poolId: string; targetId: number }): UploadInput {
  const { metadata, principal, raw, sizeBytes } = request;
  return {
    poolId,
    targetId,
    targetName: metadata.filename,
    sizeBytes,
    ownerId: principal.userId,
    sha256: metadata.sha256 ?? null,
    format: metadata.format ?? null,
    lastModified: metadata.lastModified ?? null,
    metadata: String(raw.headers['upload-metadata'] ?? ''),
  };
}
