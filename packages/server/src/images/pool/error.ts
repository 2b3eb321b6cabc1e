import { ApiError } from '@wcc/api';
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
  | 'io_error';

/** Each in words, and what to do. */
const reasons: Readonly<Record<PoolReason, { message: string; hint: string }>> = {
  directory_missing: {
    message: 'The directory does not exist.',
    hint: 'Mount the disk or make the directory, then rescan.',
  },
  not_a_directory: { message: 'The path is not a directory.', hint: 'Name a directory as the pool.' },
  no_access: {
    message: 'The directory cannot be read and written.',
    hint: 'Give the user that runs wcc read, write and search rights on it.',
  },
  read_only: {
    message: 'The file system is read-only.',
    hint: 'Check the disk, then mount it writable again.',
  },
  world_writable: {
    message: 'Everybody may write to the directory.',
    hint: 'Take that right away: chmod o-w, then rescan.',
  },
  marker_missing: {
    message: 'The marker file .wcc-pool is gone: is the disk mounted?',
    hint: 'Mount the disk of the pool, then rescan; for a fresh start use another directory. Nothing was written.',
  },
  marker_malformed: {
    message: 'The marker file .wcc-pool cannot be understood.',
    hint: 'Restore it, or remove it when no wcc uses this directory.',
  },
  marker_foreign: {
    message: 'The directory belongs to another pool or another installation of wcc.',
    hint: 'Use another directory, or remove its .wcc-pool when that installation is gone.',
  },
  locked: {
    message: 'Another wcc is using the directory.',
    hint: 'Stop the other one, then rescan.',
  },
  io_error: { message: 'The directory cannot be read.', hint: 'Check the disk (dmesg, SMART), then rescan.' },
};

/** `pool_unavailable` with the exact reason. Nothing was written. */
export class PoolError extends ApiError {
  readonly reason: PoolReason;

  constructor(reason: PoolReason, cause?: unknown) {
    super('pool_unavailable', { ...reasons[reason], cause });
    this.reason = reason;
  }
}

const reasonByErrno: Readonly<Record<string, PoolReason>> = {
  ENOENT: 'directory_missing',
  ENOTDIR: 'not_a_directory',
  EACCES: 'no_access',
  EPERM: 'no_access',
  EROFS: 'read_only',
};

/** Any failure at a pool's own directory, in the words above. */
export function toPoolError(error: unknown): PoolError {
  if (error instanceof PoolError) return error;
  return new PoolError(reasonByErrno[errnoOf(error) ?? ''] ?? 'io_error', error);
}
