import type { Kernel } from '../kernel/calls.ts';
import { systemCode } from '../kernel/errno.ts';
import type { FileFacts } from '../contract/file-facts.ts';

/**
 * Whether somebody has the file open for writing. The kernel grants a read lease only when nobody has; it is
 * given back at once. Asked of a file of another user, or of a file system without leases, it does not tell.
 */
export function readWriters(kernel: Kernel | null, fd: number): FileFacts['writers'] {
  if (kernel === null) return 'unknown';
  try {
    kernel.tryReadLease(fd);
    return 'none';
  } catch (error) {
    return systemCode(error) === 'EAGAIN' ? 'some' : 'unknown';
  }
}
