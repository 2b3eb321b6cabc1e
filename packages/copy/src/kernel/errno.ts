import { constants } from 'node:os';
import { CopyError } from '../contract/errors.ts';
import type { CopyErrorCode, CopyErrorDetails } from '../contract/errors.ts';

/** An error of a system call, with the fields of Node's own system errors. */
export class SystemError extends Error {
  override readonly name: string = 'SystemError';
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;

  constructor(errno: number, syscall: string) {
    const code = errnoName(errno);
    super(`${code}: ${syscall}`);
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
  }
}

const names = new Map<number, string>(
  // EWOULDBLOCK equals EAGAIN and EOPNOTSUPP equals ENOTSUP on Linux: the first name listed wins.
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/** The name of an errno, for example `ENOSPC` for 28; `E<number>` if Node and this package know no name. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? extraNames[errno] ?? `E${errno}`;
}

/** Linux errno names that Node's table lacks. */
const extraNames: Readonly<Record<number, string>> = {
  5: 'EIO',
  26: 'ETXTBSY',
  30: 'EROFS',
  74: 'EBADMSG',
  117: 'EUCLEAN',
  121: 'EREMOTEIO',
  122: 'EDQUOT',
};

const byErrno: Readonly<Record<string, CopyErrorCode>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'quota',
  EROFS: 'read_only',
  EACCES: 'permission',
  EPERM: 'permission',
  EIO: 'io_error',
  EBADMSG: 'io_error',
  EUCLEAN: 'io_error',
  EREMOTEIO: 'io_error',
  ESTALE: 'io_error',
  ETIMEDOUT: 'io_error',
  ENOLINK: 'io_error',
  EFBIG: 'too_large',
  EOVERFLOW: 'too_large',
  ENAMETOOLONG: 'name_too_long',
  ENOENT: 'not_found',
  ENOTDIR: 'not_found',
  EEXIST: 'exists',
  ENOTEMPTY: 'exists',
  ETXTBSY: 'source_in_use',
  ELOOP: 'not_regular',
  EISDIR: 'not_regular',
  // open(2) fails with ENXIO or ENODEV for sockets and for devices without a driver
  ENXIO: 'not_regular',
  ENODEV: 'not_regular',
  EXDEV: 'cross_device',
  EMFILE: 'resources',
  ENFILE: 'resources',
  ENOMEM: 'resources',
  EBUSY: 'busy',
  EAGAIN: 'busy',
  ENOSYS: 'unsupported',
  EOPNOTSUPP: 'unsupported',
  ENOTSUP: 'unsupported',
  EINVAL: 'unsupported',
};

/** The errno name of an error of Node's fs or of a kernel call; null for any other error. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  // Node's code for an unknown errno is "Unknown system error 122"; the number is in `errno`.
  const errno = 'errno' in error && typeof error.errno === 'number' ? Math.abs(error.errno) : null;
  return errno === null ? error.code : errnoName(errno);
}

/** Converts any thrown value to a CopyError. An unexpected errno becomes an `io_error` that names it. */
export function toCopyError(error: unknown, details: CopyErrorDetails = {}): CopyError {
  if (error instanceof CopyError) return error;
  const denied = toAccessDenied(error, details);
  if (denied !== null) return denied;
  const code = systemCode(error);
  const syscall = error instanceof Error && 'syscall' in error ? String(error.syscall) : '';
  const detail = code === null ? String(error) : `${syscall} ${code}`.trim();
  return new CopyError((code === null ? undefined : byErrno[code]) ?? 'io_error', {
    detail,
    ...details,
    cause: error,
  });
}

/** Options of `node` that grant what its permission model has denied. */
const grantingFlags: Readonly<Record<string, string>> = {
  FileSystemRead: '--allow-fs-read',
  FileSystemWrite: '--allow-fs-write',
  WorkerThreads: '--allow-worker',
};

/** The error for a denial by Node's permission model; null for any other error. */
function toAccessDenied(error: unknown, details: CopyErrorDetails): CopyError | null {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_ACCESS_DENIED') return null;
  const permission = 'permission' in error ? String(error.permission) : '';
  return new CopyError('permission', {
    detail: `Node's permission model denies ${permission}`,
    hint: `Start node with ${grantingFlags[permission] ?? 'the permission'} as well.`,
    ...details,
    cause: error,
  });
}
