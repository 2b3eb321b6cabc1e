import { statfsSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { showPath } from '../storage/paths.ts';
import { withDestinationErrors, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

const gib = 1024 ** 3;

/**
 * Refuses a copy that does not fit, before its first byte. Runs after the attempt to clone, because shared blocks
 * need no space.
 */
export function assertSpace(run: CopyRun): void {
  const { stat } = sourceOf(run);
  const allocated = stat.blocks * 512n;
  // Without kernel calls holes count as data in the total, so the allocated blocks are the better estimate.
  const dataBytes = run.kernel === null && allocated < stat.size ? allocated : run.dataBytes;
  const needed = Number(dataBytes - run.copiedBytes);
  const { bavail, bsize } = withDestinationErrors(run, () => statfsSync(run.directory, { bigint: true }));
  const free = Number(bavail * bsize);
  const floor = run.request.freeSpaceFloorBytes;
  if (free - needed >= floor) return;
  const kept = floor === 0 ? '' : `, ${show(floor)} must stay free`;
  throw new CopyError('no_space', {
    path: showPath(run.request.destination),
    detail: `needs ${show(needed)}, ${show(free)} free${kept}`,
  });
}

function show(bytes: number): string {
  return bytes >= gib ? `${(bytes / gib).toFixed(1)} GiB` : `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
