import { fstatSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { findDifference } from '../inspect/compare-content.ts';
import { mapExtents } from '../inspect/extents.ts';
import { throwIfStopped, waitWhilePaused } from '../run/control.ts';
import {
  beginPhase,
  partialOf,
  sourceOf,
  withDestinationErrors,
  withSourceErrors,
} from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { compareIdentity, identityOf } from '../run/source.ts';
import { showPath } from '../storage/paths.ts';

/** Reads the copy back from the storage and compares it with its source. @throws CopyError `verify_mismatch` */
export function verify(run: CopyRun): void {
  run.sourceIdentity = readIdentity(run);
  const difference = compare(run, { reads: 'storage' });
  run.verifiedOffset = 0n;
  if (difference === null) return;
  throw new CopyError('verify_mismatch', {
    path: showPath(run.request.destination),
    offset: Number(difference),
  });
}

/** Comparisons of one copy whose source is touched again and again. */
const maxComparisons = 3;

/**
 * Compares the state of the source with the one that was copied. If only its change time differs, the copy is compared
 * with it: a program may have renamed the file, or may have written to it and set the earlier modification time.
 *
 * @throws CopyError `source_changed`
 */
export function confirmSource(run: CopyRun): void {
  for (let comparisons = 0; ; comparisons += 1) {
    const now = readIdentity(run);
    const likeness = compareIdentity(run.sourceIdentity ?? identityOf(sourceOf(run).stat), now);
    if (likeness === 'same') return;
    if (likeness === 'changed' || comparisons === maxComparisons) throwChanged(run);
    run.sourceIdentity = now;
    if (compare(run, { reads: 'cache' }) !== null) throwChanged(run);
  }
}

function readIdentity(run: CopyRun): ReturnType<typeof identityOf> {
  return withSourceErrors(run, () => identityOf(fstatSync(sourceOf(run).fd, { bigint: true })));
}

function throwChanged(run: CopyRun): never {
  throw new CopyError('source_changed', { path: showPath(run.request.source) });
}

/** The offset of the first difference; null if there is none. */
function compare(run: CopyRun, { reads }: { reads: 'storage' | 'cache' }): bigint | null {
  const { fd, stat } = sourceOf(run);
  const source = { kernel: run.kernel, fd, sizeBytes: stat.size };
  // A new look, because a program may have written into a hole.
  const extents = withSourceErrors(run, () => mapExtents(source, () => throwIfStopped(run)));
  beginPhase(run, 'verify', extents.dataBytes);
  // Then the bytes are read from the storage and not from the page cache.
  if (reads === 'storage')
    withDestinationErrors(run, () =>
      run.kernel?.dropCache({ fd: partialOf(run).fd, offset: 0n, lengthBytes: 0 }),
    );
  // After a long pause, the verification continues where it was.
  const start = reads === 'storage' ? run.verifiedOffset : 0n;
  let done = extents.bytesBefore(start);
  return findDifference(run, {
    extents,
    start,
    end: stat.size,
    onPiece: (bytes, offset) => {
      done += BigInt(bytes);
      run.slot.set('done', done);
      if (reads === 'storage') run.verifiedOffset = offset;
      waitWhilePaused(run);
    },
  });
}
