import { CopyError } from '../contract/errors.ts';
import { loadKernel, support } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';

/**
 * Gives a range of an open file blocks of its own with `fallocate`, and makes the file that long.
 *
 * @throws CopyError `unsupported` where the call or the file system does not have it; `no_space`, `quota`, …
 */
export function allocateSpace(fd: number, range: { offset: number; lengthBytes: number }): void {
  const kernel = loadKernel();
  if (kernel === null) throw new CopyError('unsupported', { detail: support().why ?? 'no fallocate' });
  try {
    kernel.allocate({ fd, offset: BigInt(range.offset), lengthBytes: BigInt(range.lengthBytes) });
  } catch (error) {
    throw toCopyError(error, {});
  }
}
