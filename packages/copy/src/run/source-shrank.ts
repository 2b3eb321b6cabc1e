import { CopyError } from '../contract/errors.ts';
import { showPath } from '../storage/paths.ts';
import { sourceOf } from './copy-state.ts';
import type { CopyRun } from './copy-state.ts';

/** The error for a source that became shorter after its inspection. */
export function throwSourceShrank(run: CopyRun, offset: bigint): never {
  throw new CopyError('source_changed', {
    path: showPath(run.request.source),
    offset: Number(offset),
    detail: `shorter than ${sourceOf(run).stat.size} bytes`,
  });
}
