import { closeSync, constants, openSync } from 'node:fs';
import type { PathLike } from '../contract/types.ts';
import { loadKernel } from '../kernel/calls.ts';
import { systemCode, toCopyError } from '../kernel/errno.ts';
import { showPath, toPathBytes } from './paths.ts';

const flags = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Whether a program has the file open, this one included: the kernel grants a write lease only if none has. Null if
 * that is unknown: for a file of another user, on a file system without leases, and without kernel calls.
 *
 * @throws CopyError `not_found`, `permission` if this user may not write to the file
 */
export function isOpenElsewhere(path: PathLike): boolean | null {
  const bytes = toPathBytes(path);
  let fd: number | null = null;
  try {
    fd = openSync(bytes, flags);
    return isLeaseRefused(fd);
  } catch (error) {
    throw toCopyError(error, { path: showPath(bytes) });
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function isLeaseRefused(fd: number): boolean | null {
  const kernel = loadKernel();
  if (kernel === null) return null;
  try {
    kernel.tryWriteLease(fd);
    return false;
  } catch (error) {
    return systemCode(error) === 'EAGAIN' ? true : null;
  }
}
