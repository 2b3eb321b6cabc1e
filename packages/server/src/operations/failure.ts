import { lstat } from 'node:fs/promises';
import { ApiError, errorRegistry } from '@wcc/api';
import type { ErrorCode } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import type { CopyErrorCode } from '@wcc/copy';
import type { OperationError } from '@wcc/progress';
import { errnoOf } from '../files/errors.ts';

/** Why work ended without a result; `paused` and `interrupted`: the operation can resume later. */
export type WorkFailureCode = 'cancelled' | 'interrupted' | 'paused' | 'failed';

export interface WorkFailureOptions {
  error: OperationError;
  cause?: unknown;
}

/** The failure of work, with a code of the API's error registry. */
export class WorkFailure extends Error {
  override readonly name = 'WorkFailure';
  readonly code: WorkFailureCode;
  readonly error: OperationError;

  constructor(code: WorkFailureCode, { error, cause }: WorkFailureOptions) {
    super(error.message, { cause });
    this.code = code;
    this.error = error;
  }
}

export interface FailureOptions {
  /** A missing file of this path is `source_vanished`. @default no source */
  sourcePath?: string;
  /** A missing file in this directory is `pool_unavailable`. @default no pool */
  poolPath?: string;
}

/** Codes of the copy engine → codes of the API. All other codes become `internal`. */
const codesOfCopy: Partial<Record<CopyErrorCode, ErrorCode>> = {
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
  resources: 'resources',
  busy: 'busy',
};

/**
 * Errors of the server's own file system calls → codes of the API. ENOENT is absent, because its code depends on the
 * missing file.
 */
const codesByErrno: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'quota',
  EEXIST: 'exists',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'read_only',
  EFBIG: 'too_large',
  EIO: 'io_error',
  EBADMSG: 'io_error',
  EUCLEAN: 'io_error',
  EREMOTEIO: 'io_error',
  ESTALE: 'io_error',
  EMFILE: 'resources',
  ENFILE: 'resources',
  ENOMEM: 'resources',
  EBUSY: 'busy',
};

/** Codes of failures that more free space ends. */
export const spaceCodes: ReadonlySet<string> = new Set<ErrorCode>(['no_space', 'no_inodes', 'quota']);

/** Codes of failures that end without a change of the operation, soon after they begin. */
export const briefCodes: ReadonlySet<string> = new Set<ErrorCode>(['resources', 'busy']);

/** Codes of failures that may end when a person repairs the storage. */
export const repairableCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'io_error',
  'read_only',
  'data_dir_unavailable',
]);

/** How an operation waits for the end of a failure; null: it does not, so it has failed. */
function waitsAs(code: string): 'paused' | 'interrupted' | null {
  if (code === 'pool_unavailable') return 'interrupted';
  const passes = [spaceCodes, briefCodes, repairableCodes].some((codes) => codes.has(code));
  return passes ? 'paused' : null;
}

/** Converts an error of the copy engine or of a system call to an ApiError. Returns every other error unchanged. */
export function toRefusal(error: unknown, options: FailureOptions = {}): unknown {
  if (error instanceof ApiError) return error;
  if (error instanceof CopyError) return new ApiError(codeOfCopy(error, options), { cause: error });
  const found = findSystemError(error, options);
  return found === null ? error : new ApiError(found.code, { cause: error });
}

/** Converts any error of work to the failure that its operation records. */
export function toWorkFailure(error: unknown, options: FailureOptions = {}): WorkFailure {
  if (error instanceof WorkFailure) return error;
  const known = toOperationError(error, options);
  return new WorkFailure(stopOf(error) ?? waitsAs(known.code) ?? 'failed', {
    error: known,
    cause: error,
  });
}

/**
 * Like {@link toWorkFailure}, but looks at the disk before it reports a missing source. If the source is there, its
 * storage failed, so the operation can resume.
 */
export async function confirmWorkFailure(error: unknown, options: FailureOptions): Promise<WorkFailure> {
  const failure = toWorkFailure(error, options);
  const { sourcePath } = options;
  if (failure.error.code !== 'source_vanished' || sourcePath === undefined) return failure;
  if (!(await hasEntry(sourcePath))) return failure;
  return new WorkFailure('paused', { error: entryOf('io_error', 'ENOENT'), cause: error });
}

async function hasEntry(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

/** How a copy was stopped on request; null for any other error. */
function stopOf(error: unknown): 'cancelled' | 'interrupted' | null {
  if (!(error instanceof CopyError)) return null;
  if (error.code === 'cancelled') return 'cancelled';
  return error.code === 'suspended' ? 'interrupted' : null;
}

/** The message, hint and detail of an error for users. Other texts stay in the server's log. */
export function toOperationError(error: unknown, options: FailureOptions = {}): OperationError {
  if (error instanceof WorkFailure) return error.error;
  if (error instanceof ApiError) return entryOf(error.code, null, error);
  if (error instanceof CopyError) {
    const code = codeOfCopy(error, options);
    return entryOf(code, code === 'internal' ? error.code : error.detail);
  }
  const found = findSystemError(error, options);
  if (found !== null) return entryOf(found.code, found.errno);
  return {
    code: 'internal',
    message: 'The server had an unexpected error.',
    hint: 'Search its log for the id of the operation.',
    detail: error instanceof Error ? error.name : null,
  };
}

function entryOf(
  code: ErrorCode,
  detail: string | null,
  { message, hint }: { message: string; hint: string } = errorRegistry[code],
): OperationError {
  return { code, message, hint, detail };
}

function codeOfCopy(error: CopyError, { sourcePath }: FailureOptions): ErrorCode {
  if (error.code === 'not_found') return error.path === sourcePath ? 'source_vanished' : 'pool_unavailable';
  return codesOfCopy[error.code] ?? 'internal';
}

function codeOfMissing(error: Error, { sourcePath, poolPath }: FailureOptions): ErrorCode | undefined {
  const path = 'path' in error && typeof error.path === 'string' ? error.path : null;
  if (path === null) return undefined;
  if (path === sourcePath) return 'source_vanished';
  return poolPath !== undefined && path.startsWith(`${poolPath}/`) ? 'pool_unavailable' : undefined;
}

/** Finds a system call error in an error or in its causes. */
function findSystemError(error: unknown, options: FailureOptions): { code: ErrorCode; errno: string } | null {
  if (!(error instanceof Error)) return null;
  const errno = errnoOf(error) ?? '';
  const code = errno === 'ENOENT' ? codeOfMissing(error, options) : codesByErrno[errno];
  return code === undefined ? findSystemError(error.cause, options) : { code, errno };
}
