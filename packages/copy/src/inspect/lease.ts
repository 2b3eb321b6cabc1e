import type { Kernel } from '../kernel/calls.ts';
import { systemCode } from '../kernel/errno.ts';
import type { FileFacts } from '../contract/file-facts.ts';

/**
 * Whether a program has the file open for writing. The kernel grants a read lease only if no program has.
 * Releases the lease at once. `unknown` for a file of another user, and on a file system without leases.
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
