import { ApiError } from '@wcc/api';
import type { Driven } from '../operations/client-driven.ts';
import { watchBuffering } from './buffering.ts';
import type { UploadsContext } from './context.ts';
import { errorOfEnd, expiresHeader, findUpload } from './find.ts';
import type { Found } from './find.ts';
import { bytesOf, checksumOf, assertContentType, assertTusVersion } from './headers.ts';
import type { TusAnswer, TusRequest } from './headers.ts';
import type { Checksum } from './receive-request.ts';
import { uploadAction } from './input.ts';
import type { UploadInput } from './input.ts';
import { makeWay } from './lock.ts';
import type { Sitting } from './upload-session.ts';

/** A connection without a byte for so long is closed; the upload can be resumed. */
const inactivityMs = 60_000;

/** tus, "PATCH": bytes, from an offset on. The answer carries the offset that is durable. */
export async function patchUpload(
  context: UploadsContext,
  id: string,
  request: TusRequest,
): Promise<TusAnswer> {
  assertTusVersion(request);
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
  const live = context.images.operations.driving.find(uploadAction, id);
  const expires = live === null ? {} : await expiresHeader(context, live);
  return { status: 204, headers: { 'upload-offset': String(reached), ...expires } };
}

/** A client that lost the last answer gets the same again. */
function offsetOfEnd({ ended, input }: Extract<Found, { live: null }>, offsetBytes: number): number {
  if (ended.state !== 'succeeded') throw errorOfEnd(ended);
  if (offsetBytes !== input.sizeBytes) throw mismatch(offsetBytes, input.sizeBytes);
  return input.sizeBytes;
}

export interface Bytes extends TusRequest {
  offsetBytes: number;
  checksum: Checksum | null;
}

/** Takes a request's bytes, and with the last of them finishes the upload. @returns the durable offset */
export async function receiveInto(context: UploadsContext, live: Driven, bytes: Bytes): Promise<number> {
  const { raw, principal, checksum } = bytes;
  const { sizeBytes } = live.input as UploadInput;
  const sitting = await takeSeat(context, live, bytes);
  if (sitting !== null) {
    const { durableBytes: before } = sitting;
    const buffering = watchBuffering(context, live.id, {
      request: raw,
      receivedBytes: () => sitting.takenBytes - before,
      onBuffering: sitting.warn,
    });
    let isComplete = false;
    try {
      if (!sitting.isComplete) await sitting.receive({ request: raw, principal, checksum, inactivityMs });
      isComplete = true;
    } finally {
      buffering.stop(isComplete);
    }
    if (sitting.durableBytes < sizeBytes) return sitting.durableBytes;
  }
  // What the last byte set in motion is waited for: only then is it known whether the file is good.
  const snapshot = await context.images.operations.driving.settled(live.id);
  if (snapshot.state !== 'succeeded') throw errorOfEnd(snapshot);
  return sizeBytes;
}

/** How often a sitting may end in between: it rests just then, or another one gives way. */
const attempts = 5;

/** Null: it has ended meanwhile. @throws ApiError with why it takes no bytes now */
async function takeSeat(context: UploadsContext, live: Driven, bytes: Bytes): Promise<Sitting | null> {
  const { driving } = context.images.operations;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    assertOpen(live);
    await context.images.pools.use(live.input.poolId);
    await makeWay(context.sittings.get(live.id), bytes);
    const refusal = await driving.wake(live.id).catch((error: unknown) => ({ error }));
    if (driving.find(uploadAction, live.id) === null) return null;
    assertOpen(live);
    if (refusal) throw refusal.error;
    const sitting = context.sittings.get(live.id);
    if (sitting !== undefined && !sitting.isOver && sitting.sender === null) {
      assertRange(sitting, live, bytes);
      return sitting;
    }
    // One that is ending becomes an operation at rest, which can be woken.
    if (sitting?.isOver === true) await driving.settled(live.id);
  }
  throw new ApiError('upload_locked', { retryAfterS: 1 });
}

/** Paused by a person, or for want of room: the client is told which, and may come back. */
function assertOpen({ record }: Driven): void {
  const { state, stateReason } = record;
  if (state === 'paused' && stateReason?.code === 'no_space')
    throw new ApiError('no_space', { retryAfterS: 5 });
  if (state === 'paused' && stateReason?.code === 'quota') throw new ApiError('quota');
  if (state === 'paused') {
    const [message, hint] = ['The upload is paused.', 'Resume its operation first.'];
    throw new ApiError('upload_locked', { message, hint, retryAfterS: 5 });
  }
  if (state === 'cancelling')
    throw new ApiError('upload_gone', { message: 'The upload is being cancelled.' });
}

function assertRange({ durableBytes }: Sitting, { input }: Driven, { offsetBytes, raw }: Bytes): void {
  // If the offsets do not match, the Server MUST answer 409 without modifying the upload.
  if (offsetBytes !== durableBytes) throw mismatch(offsetBytes, durableBytes);
  const lengthBytes = Number(raw.headers['content-length'] ?? 0);
  const { sizeBytes } = input as UploadInput;
  if (offsetBytes + lengthBytes <= sizeBytes) return;
  throw new ApiError('payload_too_large', {
    message: `${lengthBytes} bytes from ${offsetBytes} on are more than the ${sizeBytes} that were announced.`,
    hint: 'Announce the length that the file has.',
  });
}

function mismatch(offsetBytes: number, durableBytes: number): ApiError {
  return new ApiError('offset_mismatch', {
    message: `The request begins at ${offsetBytes}, the upload stands at ${durableBytes}.`,
  });
}
