import { ApiError, routes } from '@wcc/api';
import type { UploadMetadata } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId, formatBytes } from '@wcc/progress';
import { randomBytes } from 'node:crypto';
import type { Principal } from '../access/principal.ts';
import { assertRight } from '../access/rules.ts';
import { assertNotTooLarge } from '../images/foreign/too-large.ts';
import type { Pool } from '../images/pool/pools.ts';
import { acceptWithSpace } from '../images/publish/accept-with-space.ts';
import type { Action } from '../operations/action.ts';
import type { UploadsContext } from './context.ts';
import { expiresHeader, errorOfEnd } from './find.ts';
import { bytesOf, checksumOf, assertContentType, assertTusVersion, hasBody } from './headers.ts';
import type { TusAnswer, TusRequest } from './headers.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';
import { receiveInto } from './patch.ts';

export interface CreateRequest extends TusRequest {
  metadata: UploadMetadata;
  idempotencyKey: string | null;
  action: Action;
}

/** tus, "Creation", and "Creation With Upload". The operation exists, and is durable, before the first byte. */
export async function createUpload(context: UploadsContext, request: CreateRequest): Promise<TusAnswer> {
  assertTusVersion(request);
  const { raw, principal } = request;
  assertRight(principal, 'image.upload');
  const sizeBytes = lengthOf(request);
  // Refuses before the first byte, not after hours of sending.
  assertNotTooLarge(sizeBytes, context.images.maxVirtualSizeBytes);
  const bringsBytes = hasBody(raw);
  // The Client MUST set Content-Type: application/offset+octet-stream when it sends bytes along.
  if (bringsBytes) assertContentType(raw);
  const checksum = bringsBytes ? checksumOf(raw) : null;
  const { id } = await start(context, { ...request, sizeBytes });
  const live = context.images.operations.clientDriven.find(uploadAction, id);
  const headers: Record<string, string> = { location: routes.upload(id) };
  // A repeated creation after the end of its upload still returns its address.
  if (live === null) return { status: 201, headers: { ...headers, 'upload-offset': String(sizeBytes) } };
  Object.assign(headers, await expiresHeader(context, live));
  if (!bringsBytes && sizeBytes > 0) return { status: 201, headers };
  // The Server MUST send the bytes it accepted in Upload-Offset. An empty file is complete when created.
  const offsetBytes = await receiveInto(context, live, { ...request, offsetBytes: 0, checksum });
  return { status: 201, headers: { ...headers, 'upload-offset': String(offsetBytes) } };
}

/** tus, "Upload-Length": a non-negative integer. wcc does not support the extension for deferred lengths. */
function lengthOf({ raw }: TusRequest): number {
  if (raw.headers['upload-defer-length'] !== undefined) throw new ApiError('length_unknown');
  const sizeBytes = bytesOf(raw.headers, 'upload-length');
  if (sizeBytes === null) throw new ApiError('length_required');
  return sizeBytes;
}

interface Sized extends CreateRequest {
  sizeBytes: number;
}

async function start(context: UploadsContext, request: Sized): Promise<Snapshot> {
  const { operations } = context.images;
  const { principal, sizeBytes, idempotencyKey } = request;
  const { userId } = principal;
  const body = { sizeBytes, metadata: request.raw.headers['upload-metadata'] ?? '' };
  const key = { userId, route: 'POST /api/uploads', key: idempotencyKey, body };
  const made = await operations.idempotency.once(key, (remember) =>
    // Concurrent requests of a user must not exceed the quota together.
    context.userMutex(userId)(async () => {
      assertQuota(context, principal, sizeBytes);
      const pool = await poolOf(context, request.metadata.pool);
      const id = createOperationId(randomBytes);
      const image = context.images.numbers.take();
      return acceptWithSpace(context.images, {
        id,
        action: uploadAction,
        principal,
        pool,
        targetName: request.metadata.filename,
        needsBytes: sizeBytes,
        subject: { kind: 'image', id: image.id, name: request.metadata.filename },
        target: null,
        input: inputOf(request, { poolId: pool.id, targetId: image.id }),
        retryOf: null,
        statements: [image.statement, ...remember(id)],
      });
    }),
  );
  return open(context, made.id, principal);
}

/** Opens the partial: 201 is sent only after the file, its record and their directory are on the disk. */
async function open(context: UploadsContext, id: string, principal: Principal): Promise<Snapshot> {
  const { operations } = context.images;
  try {
    if (operations.isLive(id)) await operations.clientDriven.start(id);
  } catch (error) {
    const snapshot = await operations.clientDriven.whenSettled(id);
    // An empty file is complete when it is created.
    if (snapshot.state === 'succeeded') return snapshot;
    // The client never learns the id of an upload that could not start, so wcc cancels that upload.
    if (operations.isLive(id)) await operations.cancel(id, principal);
    throw snapshot.error === null ? error : errorOfEnd(snapshot);
  }
  return operations.clientDriven.whenSettled(id, { waits: false });
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

function assertQuota({ images, settings }: UploadsContext, { userId }: Principal, sizeBytes: number): void {
  const inputs = images.operations.clientDriven.all(uploadAction).map(({ input }) => input as UploadInput);
  const own = inputs.filter(({ ownerId }) => ownerId === userId);
  if (own.length >= settings.maxPerUser) {
    const message = `You have ${own.length} unfinished uploads. The limit is ${settings.maxPerUser}.`;
    throw new ApiError('quota_exceeded', { message });
  }
  const usedBytes = own.reduce((sum, input) => sum + input.sizeBytes, 0);
  if (settings.quotaBytes === null || usedBytes + sizeBytes <= settings.quotaBytes) return;
  const figures = `${formatBytes(usedBytes)} of ${formatBytes(settings.quotaBytes)} are used`;
  throw new ApiError('quota_exceeded', { message: `Needs ${formatBytes(sizeBytes)}; ${figures}.` });
}
