import { ApiError, errorRegistry } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import { errnoOf } from '../../files/errors.ts';

/** Why a pool cannot be used. */
export type PoolReason =
  | 'directory_missing'
  | 'not_a_directory'
  | 'no_access'
  | 'read_only'
  | 'world_writable'
  | 'marker_missing'
  | 'marker_malformed'
  | 'marker_foreign'
  | 'locked'
  | 'resources'
  | 'not_responding'
  | 'io_error';

/** Message and hint of each reason. */
const reasons: Readonly<Record<PoolReason, { message: string; hint: string }>> = {
  directory_missing: {
    message: 'The directory does not exist.',
    hint: 'Mount the disk or create the directory, then rescan.',
  },
  not_a_directory: { message: 'The path is not a directory.', hint: 'Configure a directory as the pool.' },
  no_access: {
    message: 'The directory cannot be read and written by wcc.',
    hint: 'Give the user that runs wcc read, write and search permission.',
  },
  read_only: {
    message: 'The file system is read-only.',
    hint: 'Check the disk, then mount it writable again.',
  },
  world_writable: {
    message: 'Every user may write to the directory.',
    hint: 'Remove that permission with chmod o-w, then rescan.',
  },
  marker_missing: {
    message: 'The marker file .wcc-pool is missing. Is the disk mounted?',
    hint: 'Mount the disk of the pool, then rescan. To start over, use another directory. Nothing was written.',
  },
  marker_malformed: {
    message: 'The marker file .wcc-pool is invalid.',
    hint: 'Restore it, or remove it if no wcc uses this directory.',
  },
  marker_foreign: {
    message: 'The directory belongs to another pool or another installation of wcc.',
    hint: 'Use another directory, or remove its .wcc-pool if that installation no longer exists.',
  },
  locked: {
    message: 'Another wcc is using the directory.',
    hint: 'Stop the other wcc, then rescan.',
  },
  resources: errorRegistry.resources,
  not_responding: {
    message: 'The disk does not respond.',
    hint: 'Check the disk, its network or its server. wcc continues when it responds.',
  },
  io_error: { message: 'The directory cannot be read.', hint: 'Check the disk (dmesg, SMART), then rescan.' },
};

/** The error `pool_unavailable` with the exact reason. wcc throws it before it writes to the pool. */
export class PoolError extends ApiError {
  readonly reason: PoolReason;

  constructor(reason: PoolReason, cause?: unknown) {
    const { message, hint } = reasons[reason];
    super('pool_unavailable', { message, hint, cause });
    this.reason = reason;
  }
}

const reasonByErrno: Readonly<Record<string, PoolReason>> = {
  ENOENT: 'directory_missing',
  ENOTDIR: 'not_a_directory',
  EACCES: 'no_access',
  EPERM: 'no_access',
  EROFS: 'read_only',
  EMFILE: 'resources',
  ENFILE: 'resources',
  ENOMEM: 'resources',
};

/** Converts any error of a pool directory to a PoolError. */
export function toPoolError(error: unknown): PoolError {
  if (error instanceof PoolError) return error;
  if (error instanceof CopyError && error.code === 'resources') return new PoolError('resources', error);
  return new PoolError(reasonByErrno[errnoOf(error) ?? ''] ?? 'io_error', error);
}
