import { fchmodSync, fsyncSync } from 'node:fs';
import { beginPhase, withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

const permissionBits = 0o777n;

/** The owner can read and write the partial, because an ordinary user must be able to resume it. */
const ownerBits = 0o600n;

/** Sets the permission bits and makes the partial durable, so that the file is complete before the rename. */
export function flush(run: CopyRun): void {
  beginPhase(run, 'flush');
  const { fd } = partialOf(run);
  withDestinationErrors(run, () => {
    fchmodSync(fd, Number((sourceOf(run).stat.mode & permissionBits) | ownerBits));
    if (!run.request.durable) return;
    try {
      fsyncSync(fd);
    } catch (error) {
      run.flushFailed = true;
      throw error;
    }
  });
}

/** Removes owner permissions that the source does not grant. This is the last change before the rename. */
export function restrict(run: CopyRun): void {
  const mode = sourceOf(run).stat.mode & permissionBits;
  if ((mode & ownerBits) === ownerBits) return;
  const { fd } = partialOf(run);
  fchmodSync(fd, Number(mode));
  if (run.request.durable) fsyncSync(fd);
}
