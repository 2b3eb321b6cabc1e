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
  const { bavail, bsize } = withDestinationErrors(run, () =>
    statfsSync(run.paths.directory, { bigint: true }),
  );
  assertFree({
    neededBytes: needed,
    freeBytes: Number(bavail * bsize),
    minFreeBytes: run.request.minFreeBytes,
    path: showPath(run.request.destination),
  });
}

export interface SpaceNeed {
  neededBytes: number;
  freeBytes: number;
  /** Bytes that must stay free. */
  minFreeBytes: number;
  path: string;
}

/** @throws CopyError `no_space` with the numbers */
export function assertFree({ neededBytes, freeBytes, minFreeBytes, path }: SpaceNeed): void {
  if (freeBytes - neededBytes >= minFreeBytes) return;
  const kept = minFreeBytes === 0 ? '' : `, ${show(minFreeBytes)} must stay free`;
  throw new CopyError('no_space', {
    path,
    detail: `needs ${show(neededBytes)}, ${show(freeBytes)} free${kept}`,
  });
}

function show(bytes: number): string {
  return bytes >= gib ? `${(bytes / gib).toFixed(1)} GiB` : `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
