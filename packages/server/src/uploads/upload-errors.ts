import { ApiError, errorRegistry } from '@wcc/api';
import type { ErrorCode, StateReasonCode } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import { toWorkFailure } from '../operations/failure.ts';
import { WorkFailure } from '../operations/failure.ts';
import type { BodyEnd } from './bytes/body.ts';

const codesByErrno: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'quota',
  EFBIG: 'too_large',
  EROFS: 'read_only',
  EACCES: 'permission',
  EPERM: 'permission',
};

/** What a failed write or sync means: for want of room the upload waits, anything else ends it. */
export function storageFailure(cause: unknown): WorkFailure & { told: ErrorCode } {
  const errno = errnoOf(cause);
  const told = codesByErrno[errno] ?? 'io_error';
  const { message, hint } = errorRegistry[told];
  const code = told === 'no_space' || told === 'quota' ? 'paused' : 'failed';
  const failure = new WorkFailure(code, {
    error: { code: told, message, hint, detail: errno || null },
    cause,
  });
  return Object.assign(failure, { told });
}

/** The bad end of finishing. */
export function failureOf(error: unknown): unknown {
  const isPlain = !(error instanceof ApiError) && !(error instanceof CopyError);
  return isPlain && errnoOf(error) !== '' ? storageFailure(error) : toWorkFailure(error);
}

function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('syscall' in error && 'code' in error) return String(error.code);
  return errnoOf(error.cause);
}

/** Ends that are no failure of the upload. */
export function interruption(why: 'cancelled' | StateReasonCode): WorkFailure {
  const error = { code: why, message: '', hint: '', detail: null };
  return new WorkFailure(why === 'cancelled' ? 'cancelled' : 'interrupted', { error });
}

const refusals: Readonly<Record<Exclude<BodyEnd, 'complete'>, () => ApiError>> = {
  lost: () => new ApiError('upload_locked', { message: 'The connection was lost.' }),
  taken_over: () => new ApiError('upload_locked', { message: 'Another request goes on with this upload.' }),
  revoked: () => new ApiError('unauthenticated'),
  paused: () =>
    new ApiError('upload_locked', { message: 'The upload is paused.', hint: 'Resume its operation first.' }),
  cancelled: () => new ApiError('upload_gone', { message: 'The upload was cancelled.' }),
  server_stopped: () => new ApiError('shutting_down', { retryAfterS: 5 }),
  too_long: () =>
    new ApiError('payload_too_large', {
      message: 'More bytes came than were announced.',
      hint: 'Announce the length that the file has.',
    }),
  storage: () => new ApiError('io_error'),
};

/** What a client is told whose bytes were not all taken; null: they were. */
export function refusalOf(how: BodyEnd): ApiError | null {
  return how === 'complete' ? null : refusals[how]();
}
