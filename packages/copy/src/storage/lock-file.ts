import { closeSync, constants, openSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { PathLike } from '../contract/types.ts';
import { support, loadKernel } from '../kernel/calls.ts';
import { loadLibrary } from '../kernel/library.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath, toPathBytes } from './paths.ts';

/**
 * Locks a file exclusively with flock(2). Creates the file if it is missing. The kernel releases the lock when this
 * process ends, even by SIGKILL.
 *
 * @throws CopyError `locked` if the lock is held elsewhere, `unsupported` without kernel calls
 */
export function lockFile(path: PathLike): {
  /** Releases the lock. Further calls do nothing. */
  release(): void;
} {
  const bytes = toPathBytes(path);
  const shown = showPath(bytes);
  const kernel = loadKernel();
  if (kernel === null) {
    const { hint } = loadLibrary();
    const detail = support().why ?? 'no flock';
    throw new CopyError('unsupported', { path: shown, detail, ...(hint === null ? {} : { hint }) });
  }
  let fd: number | null = openLock(bytes, shown);
  const release = (): void => {
    if (fd !== null) closeSync(fd);
    fd = null;
  };
  try {
    if (!kernel.tryLock(fd)) throw new CopyError('locked', { path: shown });
  } catch (error) {
    release();
    throw toCopyError(error, { path: shown });
  }
  return { release };
}

function openLock(path: Buffer, shown: string): number {
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    return openSync(path, flags, 0o600);
  } catch (error) {
    throw toCopyError(error, { path: shown });
  }
}
