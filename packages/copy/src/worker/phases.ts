import { prepareClone, tryClone } from '../clone/clone.ts';
import { flush } from '../flush/flush.ts';
import { inspect } from '../inspect/inspect.ts';
import type { CopyRequest } from '../contract/messages.ts';
import type { CopyPhaseEvent, CopyResult } from '../contract/types.ts';
import { publish, settleEarlierPublication } from '../publish/publish.ts';
import { reserve } from '../reserve/reserve.ts';
import { cleanUp } from '../resume/clean-up.ts';
import { transfer } from '../transfer/transfer.ts';
import { verify } from '../verify/verify.ts';
import { closeRun, createRun } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { obey } from '../run/control.ts';

/** One copy from its first phase to its last. Throws a CopyError, with everything tidied up. */
export function runCopy(request: CopyRequest, emit: (event: CopyPhaseEvent) => void): CopyResult {
  const run = createRun(request, emit);
  run.slot.setState('running');
  try {
    return settleEarlierPublication(run) ?? runPhases(run);
  } catch (error) {
    throw cleanUp(run, error);
  } finally {
    closeRun(run);
  }
}

function runPhases(run: CopyRun): CopyResult {
  inspect(run);
  obey(run);
  reserve(run);
  obey(run);
  if (prepareClone(run)) tryClone(run);
  if (run.facts.method !== 'clone') transfer(run);
  obey(run);
  flush(run);
  if (run.request.verify) verify(run);
  obey(run);
  return publish(run);
}
