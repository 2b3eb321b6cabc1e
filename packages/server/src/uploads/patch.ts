import { ApiError } from '@wcc/api';
import type { DrivenOperation } from '../operations/client-driven.ts';
import { watchBuffering } from './buffering.ts';
import type { UploadsContext } from './context.ts';
import { expiresHeader } from './expire.ts';
import { errorOfEnd, findUpload } from './find.ts';
import type { Found } from './find.ts';
import { bytesOf, checksumOf, assertContentType } from './headers.ts';
import type { TusAnswer, TusRequest } from './headers.ts';
import type { Checksum } from './receive-request.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';
import { acquireLock } from './lock.ts';
import type { UploadSession } from './upload-session.ts';

/** The server closes a connection that sends no byte for this long. The upload can be resumed. */
const inactivityMs = 60_000;

/** tus, "PATCH": bytes from an offset. The answer has the durable offset. */
export async function patchUpload(
  context: UploadsContext,
  id: string,
  request: TusRequest,
): Promise<TusAnswer> {
  const { raw, principal } = request;
  // All PATCH requests MUST use Content-Type: application/offset+octet-stream, else 415.
  assertContentType(raw);
  // The Upload-Offset header's value MUST be a non-negative integer.
  const offsetBytes = bytesOf(raw.headers, 'upload-offset');
  if (offsetBytes === null) {
    const message = 'The header Upload-Offset is missing.';
    throw new ApiError('malformed_request', { field: 'Upload-Offset', message });
  }
  const checksum = checksumOf(raw);
  const found = await findUpload(context, id, { principal, right: 'upload.send' });
  const reached =
    found.live === null
      ? offsetOfEnd(found, offsetBytes)
      : await receiveInto(context, found.live, { ...request, offsetBytes, checksum });
  // Servers that expire uploads MUST say so in Upload-Expires with every PATCH answer, while it is unfinished.
  const live = context.images.operations.clientDriven.find(uploadAction, id);
  const expires = live === null ? {} : await expiresHeader(context, live, { offsetBytes: reached });
  return { status: 204, headers: { 'upload-offset': String(reached), ...expires } };
}

/** A client that has lost the last answer gets the same offset again. */
function offsetOfEnd({ ended, input }: Extract<Found, { live: null }>, offsetBytes: number): number {
  if (ended.state !== 'succeeded') throw errorOfEnd(ended);
  if (offsetBytes !== input.sizeBytes) throw mismatch(offsetBytes, input.sizeBytes);
  return input.sizeBytes;
}

export interface Bytes extends TusRequest {
  offsetBytes: number;
  checksum: Checksum | null;
}

/** Receives a request's bytes. The last byte finishes the upload. @returns the durable offset */
export async function receiveInto(
  context: UploadsContext,
  live: DrivenOperation,
  bytes: Bytes,
): Promise<number> {
  const { raw, principal, signal, checksum } = bytes;
  const { sizeBytes } = live.input as UploadInput;
  const session = await acquireSession(context, live, bytes);
  if (session !== null) {
    const { durableBytes: before } = session;
    const buffering = watchBuffering(context, live.id, {
      request: raw,
      receivedBytes: () => session.takenBytes - before,
      onBuffering: session.warn,
    });
    let isComplete = false;
    try {
      if (!session.isComplete)
        await session.receive({ request: raw, principal, signal, checksum, inactivityMs });
      isComplete = true;
    } catch (error) {
      // A client that has this answer finds the operation ended.
      if (session.isRefused) await context.images.operations.clientDriven.whenSettled(live.id);
      throw error;
    } finally {
      buffering.stop(isComplete);
    }
    if (session.durableBytes < sizeBytes) return session.durableBytes;
  }
  // The answer waits until the complete file is published or rejected.
  const snapshot = await context.images.operations.clientDriven.whenSettled(live.id);
  if (snapshot.state !== 'succeeded') throw errorOfEnd(snapshot);
  return sizeBytes;
}

/** Number of attempts to get a session: the current one may end before the request uses it. */
const maxAttempts = 5;

/**
 * Locks the upload's session; null if the upload has ended. @throws ApiError with the reason why the upload
 * accepts no bytes now
 */
async function acquireSession(
  context: UploadsContext,
  live: DrivenOperation,
  bytes: Bytes,
): Promise<UploadSession | null> {
  const { clientDriven: driving } = context.images.operations;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    assertOpen(live);
    await context.images.pools.use(live.input.poolId);
    await acquireLock(context.sessions.get(live.id), bytes);
    const refusal = await driving.start(live.id).catch((error: unknown) => ({ error }));
    if (driving.find(uploadAction, live.id) === null) return null;
    assertOpen(live);
    if (refusal) throw refusal.error;
    const session = context.sessions.get(live.id);
    if (session !== undefined && !session.isOver && session.sender === null) {
      assertRange(session, live, bytes);
      return session;
    }
    // When a session is over, its operation waits for the client and can be started again.
    if (session?.isOver === true) await driving.whenSettled(live.id);
  }
  throw new ApiError('upload_locked', { retryAfterS: 1 });
}

/** @throws ApiError with the reason for a pause, by a user or for lack of space; the client may retry */
export function assertOpen({ record }: DrivenOperation): void {
  const { state, stateReason } = record;
  if (state === 'paused' && (stateReason?.code === 'no_space' || stateReason?.code === 'no_inodes'))
    throw new ApiError(stateReason.code, { retryAfterS: 5 });
  if (state === 'paused' && stateReason?.code === 'quota') throw new ApiError('quota');
  if (state === 'paused') {
    const [message, hint] = ['The upload is paused.', 'Resume its operation first.'];
    throw new ApiError('upload_locked', { message, hint, retryAfterS: 5 });
  }
  if (state === 'cancelling')
    throw new ApiError('upload_gone', { message: 'The upload is being cancelled.' });
}

function assertRange(
  { durableBytes }: UploadSession,
  { input }: DrivenOperation,
  { offsetBytes, raw }: Bytes,
): void {
  // If the offsets do not match, the Server MUST answer 409 without modifying the upload.
  if (offsetBytes !== durableBytes) throw mismatch(offsetBytes, durableBytes);
  const lengthBytes = Number(raw.headers['content-length'] ?? 0);
  const { sizeBytes } = input as UploadInput;
  if (offsetBytes + lengthBytes <= sizeBytes) return;
  throw new ApiError('payload_too_large', {
    message: `${lengthBytes} bytes from offset ${offsetBytes} exceed the announced size of ${sizeBytes} bytes.`,
    hint: 'Announce the actual length of the file.',
  });
}

function mismatch(offsetBytes: number, durableBytes: number): ApiError {
  return new ApiError('offset_mismatch', {
    message: `The request starts at ${offsetBytes}, but the upload is at ${durableBytes}.`,
  });
}
