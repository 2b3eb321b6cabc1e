import type { ParkedCopy } from '../contract/messages.ts';
import { partialOf, withDestinationErrors } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { closeFile } from '../storage/close-file.ts';
import { removeFile } from '../storage/remove-file.ts';
import { cleanUp } from './clean-up.ts';
import { setCheckpoint } from './sidecar.ts';

/**
 * Ends the run of a copy in a long pause, so that paused copies need no threads. Also a copy that is not durable gets a
 * checkpoint, which the same process resumes from.
 *
 * @throws CopyError if no checkpoint can be set: then the copy has failed
 */
export function parkRun(run: CopyRun): ParkedCopy {
  const { facts, warnings, verifiedOffset } = run;
  if (run.partial === null || facts.method === null) {
    discardEmpty(run);
    // A second pause can begin before this run has opened the partial of the run before it.
    return { isParked: true, continuation: run.request.continues };
  }
  try {
    withDestinationErrors(run, () => setCheckpoint(run));
  } catch (error) {
    throw cleanUp(run, error);
  }
  run.phases.measure();
  const elapsedMs = performance.now() - run.startedMs;
  const parkedAtNs = process.hrtime.bigint();
  const { entries: phases } = run.phases;
  return { isParked: true, continuation: { facts, warnings, phases, elapsedMs, parkedAtNs, verifiedOffset } };
}

/** Nothing is in the partial yet. */
function discardEmpty(run: CopyRun): void {
  if (run.partial === null) return;
  removeFile(run.paths.partial);
  closeFile(partialOf(run).fd);
  run.partial = null;
}
