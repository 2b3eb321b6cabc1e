import { ApiError, isErrorCode } from '@wcc/api';
import type { StateReasonCode } from '@wcc/api';
import { spaceCodes, toOperationError, toWorkFailure, WorkFailure } from '../operations/failure.ts';
import type { BodyEnd } from './request-body.ts';

/**
 * Converts a failed write or sync. For lack of space the upload pauses. After another failure that may pass, the
 * received bytes stay, and the next request of the client tries again.
 */
export function toStorageFailure(cause: unknown): WorkFailure {
  const failure = toWorkFailure(cause);
  if (spaceCodes.has(failure.error.code)) return failure;
  const isUnknown = failure.error.code === 'internal';
  if (failure.code === 'failed' && !isUnknown) return failure;
  const error = isUnknown ? toOperationError(new ApiError('io_error')) : failure.error;
  return new WorkFailure('interrupted', { error, cause });
}

/** Converts a storage failure to an error for the client that sent the request. */
export function errorForStorage({ error, cause }: WorkFailure): ApiError {
  return new ApiError(isErrorCode(error.code) ? error.code : 'io_error', { cause });
}

/** The failure of a session that is cancelled, paused or interrupted. */
export function interruptedBy(reason: 'cancelled' | StateReasonCode): WorkFailure {
  const error = { code: reason, message: '', hint: '', detail: null };
  return new WorkFailure(reason === 'cancelled' ? 'cancelled' : 'interrupted', { error });
}

const bodyErrors: Readonly<Record<Exclude<BodyEnd, 'complete'>, () => ApiError>> = {
  lost: () => new ApiError('upload_locked', { message: 'The connection was lost.' }),
  taken_over: () => new ApiError('upload_locked', { message: 'Another request has taken over this upload.' }),
  revoked: () => new ApiError('unauthenticated'),
  paused: () =>
    new ApiError('upload_locked', { message: 'The upload is paused.', hint: 'Resume its operation first.' }),
  cancelled: () => new ApiError('upload_gone', { message: 'The upload was cancelled.' }),
  server_stopped: () => new ApiError('shutting_down', { retryAfterS: 5 }),
  too_long: () =>
    new ApiError('payload_too_large', {
      message: 'The request has more bytes than were announced.',
      hint: 'Announce the actual length of the file.',
    }),
  refused: () => new ApiError('unsupported_format'),
  storage: () => new ApiError('io_error'),
};

/** The error for a client if its request was not received completely; null if it was. */
export function errorForBodyEnd(end: BodyEnd): ApiError | null {
  return end === 'complete' ? null : bodyErrors[end]();
}
