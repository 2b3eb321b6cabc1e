import { ApiError, errorRegistry } from '@wcc/api';
import type { ErrorCode } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import type { CopyErrorCode } from '@wcc/copy';
import type { WorkFailureCode } from './action.ts';
import { WorkFailure } from './action.ts';

/** The engine's codes in the words of the API; those that say nothing to a user become `internal`. */
const apiCodes: Partial<Record<CopyErrorCode, ErrorCode>> = {
  no_space: 'no_space',
  io_error: 'io_error',
  source_changed: 'source_changed',
  source_in_use: 'source_in_use',
  exists: 'exists',
  same_file: 'exists',
  permission: 'permission',
  read_only: 'read_only',
  not_regular: 'not_regular',
  too_large: 'too_large',
  quota: 'quota',
  clone_unsupported: 'clone_unsupported',
  cross_device: 'clone_unsupported',
  verify_mismatch: 'verify_mismatch',
  name_too_long: 'invalid_name',
};

/** Bad ends of the work that are no failure of the operation. */
const workCodes: Partial<Record<CopyErrorCode, WorkFailureCode>> = {
  cancelled: 'cancelled',
  interrupted: 'interrupted',
  no_space: 'paused',
  quota: 'paused',
};

/** @param sourcePath a missing file under this name is the source; any other is the pool */
export function apiCodeOf(error: CopyError, sourcePath: string): ErrorCode {
  if (error.code === 'not_found') return error.path === sourcePath ? 'source_vanished' : 'pool_unavailable';
  return apiCodes[error.code] ?? 'internal';
}

/** A refusal before anything exists. */
export function toRefusal(error: unknown, sourcePath: string): unknown {
  if (!(error instanceof CopyError)) return error;
  return new ApiError(apiCodeOf(error, sourcePath), { cause: error });
}

/** The bad end of running work. */
export function toWorkFailure(error: unknown, sourcePath: string): unknown {
  if (error instanceof ApiError) {
    const { code, message, hint } = error;
    return new WorkFailure('failed', { error: { code, message, hint, detail: null }, cause: error });
  }
  if (!(error instanceof CopyError)) return error;
  const code = apiCodeOf(error, sourcePath);
  const { message, hint } = errorRegistry[code];
  const detail = code === 'internal' ? error.code : error.detail;
  return new WorkFailure(workCodes[error.code] ?? 'failed', {
    error: { code, message, hint, detail },
    cause: error,
  });
}
