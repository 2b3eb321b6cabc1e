import { systemCode } from '../kernel/errno.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { moveByKernel } from './kernel-copy.ts';
import { createBufferMover } from './read-write.ts';
import type { Mover } from './read-write.ts';

/** Errors of copy_file_range that mean it cannot work for these files at all. */
const refusals: ReadonlySet<string> = new Set([
  'EXDEV',
  'EINVAL',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUP',
  'EPERM',
  'ETXTBSY',
  'EBADF',
]);

/** The mover of the chosen method. If the kernel refuses, it switches to read/write for the rest of the copy. */
export function createMover(run: CopyRun): Mover {
  const { kernel } = run;
  if (kernel === null || run.facts.method === 'read-write') return createBufferMover(run);
  let mover: Mover = (range) => moveByKernel(run, kernel, range);
  return (range) => {
    try {
      return mover(range);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (run.facts.method === 'read-write' || !refusals.has(systemCode(cause) ?? '')) throw error;
      run.facts.method = 'read-write';
      run.warnings.push(`copy_file_range_refused_${systemCode(cause)}`);
      run.phases.emitFacts();
      mover = createBufferMover(run);
      return mover(range);
    }
  };
}
