import { CopyError } from '../contract/errors.ts';
import { showPath } from '../storage/paths.ts';
import { sourceOf } from './copy-state.ts';
import type { CopyRun } from './copy-state.ts';

/** For a source that ends before the size it had when it was inspected. */
export function throwSourceShrank(run: CopyRun, offset: bigint): never {
  throw new CopyError('source_changed', {
    path: showPath(run.request.source),
    offset: Number(offset),
    detail: `shorter than ${sourceOf(run).stat.size} bytes`,
  });
}
