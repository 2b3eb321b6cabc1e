import { readSync } from 'node:fs';
import type { Extent } from '../run/extent-list.ts';
import { CopyError } from '../contract/errors.ts';
import type { Kernel } from '../kernel/calls.ts';
import { withDestinationErrors, withSourceErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { throwSourceShrank } from '../run/source-shrank.ts';

/** Copies a range inside the kernel. The bytes never enter this process. */
export function moveByKernel(run: CopyRun, kernel: Kernel, range: Extent): bigint {
  const sourceFd = sourceOf(run).fd;
  const { fd } = partialOf(run);
  let offset = range.start;
  while (offset < range.end) {
    const target = { fd, offset, lengthBytes: Number(range.end - offset) };
    const count = copyOnce(run, () => kernel.copyRange(sourceFd, target), offset);
    if (count === 0) throwSourceShrank(run, offset);
    offset += BigInt(count);
  }
  return range.end - range.start;
}

/** The error of one call can come from either file. A source that cannot be read there is the cause. */
function copyOnce(run: CopyRun, copy: () => number, offset: bigint): number {
  try {
    return withDestinationErrors(run, copy, offset);
  } catch (error) {
    if (error instanceof CopyError && error.code === 'io_error') {
      const { fd } = sourceOf(run);
      withSourceErrors(run, () => readSync(fd, Buffer.alloc(1), 0, 1, offset), offset);
    }
    throw error;
  }
}
