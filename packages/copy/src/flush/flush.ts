import { fchmodSync, fsyncSync } from 'node:fs';
import { beginPhase, withDestinationErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

const permissionBits = 0o777n;

/** Until it is published the owner may read and write it, or an ordinary user could not resume it. */
const ownerBits = 0o600n;

/** Everything to the storage, the permission bits included: they belong to the file before it has its name. */
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

/** Takes away from the owner what the source does not grant either: the last change before the name. */
export function restrict(run: CopyRun): void {
  const mode = sourceOf(run).stat.mode & permissionBits;
  if ((mode & ownerBits) === ownerBits) return;
  const { fd } = partialOf(run);
  fchmodSync(fd, Number(mode));
  if (run.request.durable) fsyncSync(fd);
}
