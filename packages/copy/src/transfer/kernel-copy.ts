import type { Extent } from '../inspect/extents.ts';
import type { Kernel } from '../kernel/calls.ts';
import { withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { throwSourceShrank } from '../run/source-shrank.ts';

/** Copies a range inside the kernel. The bytes never enter this process. */
export function moveByKernel(run: CopyRun, kernel: Kernel, range: Extent): bigint {
  const sourceFd = sourceOf(run).fd;
  const { fd } = partialOf(run);
  let offset = range.start;
  while (offset < range.end) {
    const target = { fd, offset, lengthBytes: Number(range.end - offset) };
    const count = withDestinationErrors(run, () => kernel.copyRange(sourceFd, target), offset);
    if (count === 0) throwSourceShrank(run, offset);
    offset += BigInt(count);
  }
  return range.end - range.start;
}
