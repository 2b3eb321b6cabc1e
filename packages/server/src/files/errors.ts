import { constants } from 'node:os';

/** Names by number. Node calls some of them "Unknown system error -116", among them ESTALE, EBADMSG and EDQUOT. */
const names = new Map<number, string>([
  ...Object.entries(constants.errno).map(([name, errno]): [number, string] => [errno, name]),
  // Neither Node nor libuv knows this error of damaged XFS and ext4 file systems.
  [117, 'EUCLEAN'],
]);

/** The errno name of a system call's error, e.g. `ENOSPC`; null for any other error. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const isUnnamed = error.code.startsWith('Unknown system error');
  if (!isUnnamed || !('errno' in error) || typeof error.errno !== 'number') return error.code;
  return names.get(Math.abs(error.errno)) ?? error.code;
}

/** @param code an errno name, e.g. `ENOENT` */
export function hasErrorCode(error: unknown, code: string): boolean {
  return errnoOf(error) === code;
}

/** For `catch`: returns `undefined` for a missing file and rethrows every other error. */
export function ignoreMissing(error: unknown): undefined {
  if (!hasErrorCode(error, 'ENOENT')) throw error;
}

/** Errors of a file system without hard links or without modes, e.g. vfat. */
const unsupportedErrnos: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUP',
  'EMLINK',
  'EINVAL',
]);

/** For `catch`: returns `undefined` if the file system cannot do that at all, and rethrows every other error. */
export function ignoreUnsupported(error: unknown): undefined {
  if (!unsupportedErrnos.has(errnoOf(error) ?? '')) throw error;
}
