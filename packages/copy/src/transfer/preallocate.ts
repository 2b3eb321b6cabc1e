import { systemCode } from '../kernel/errno.ts';
import { throwIfStopped } from '../run/control.ts';
import { extentsOf, withDestinationErrors, partialOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

/** Maximum bytes per call, because a stop is checked only between calls. */
const stepBytes = 1024n ** 3n;

/** Allocates the blocks of every data range that is not copied yet. */
export function preallocate(run: CopyRun): void {
  const { kernel } = run;
  if (kernel === null) {
    run.warnings.push('preallocation_needs_kernel_calls');
    return;
  }
  const { fd } = partialOf(run);
  const extents = extentsOf(run);
  let from = run.copiedOffset;
  for (let extent = extents.next(from); extent !== null; extent = extents.next(from)) {
    throwIfStopped(run);
    const { start } = extent;
    const end = extent.end - start > stepBytes ? start + stepBytes : extent.end;
    try {
      withDestinationErrors(
        run,
        () => kernel.allocate({ fd, offset: start, lengthBytes: Number(end - start) }),
        start,
      );
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (!['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(cause) ?? '')) throw error;
      run.warnings.push('preallocation_unsupported');
      return;
    }
    from = end;
  }
}
