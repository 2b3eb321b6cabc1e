import { shouldClone, tryClone } from '../clone/clone.ts';
import { flush } from '../flush/flush.ts';
import { inspect } from '../inspect/inspect.ts';
import type { CopyRequest, ParkedCopy } from '../contract/messages.ts';
import type { CopyPhaseEvent, CopyResult } from '../contract/types.ts';
import { publish, recoverEarlierPublication } from '../publish/publish.ts';
import { reserve, settlePartial } from '../reserve/reserve.ts';
import { cleanUp } from '../resume/clean-up.ts';
import { parkRun } from '../resume/park.ts';
import { transfer } from '../transfer/transfer.ts';
import { confirmSource, verify } from '../verify/verify.ts';
import { closeRun, createRun } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { waitWhilePaused } from '../run/control.ts';

/** Runs one copy from its first phase to its last. @throws CopyError after cleaning up */
export function runCopy(
  request: CopyRequest,
  emit: (event: CopyPhaseEvent) => void,
): CopyResult | ParkedCopy {
  const run = createRun(request, emit);
  run.slot.setState('running');
  try {
    return recoverEarlierPublication(run) ?? runPhases(run);
  } catch (error) {
    if (run.isParked) return parkRun(run);
    throw cleanUp(run, error);
  } finally {
    closeRun(run);
  }
}

function runPhases(run: CopyRun): CopyResult {
  inspect(run);
  waitWhilePaused(run);
  reserve(run);
  waitWhilePaused(run);
  if (shouldClone(run)) tryClone(run);
  if (run.facts.method !== 'clone') transfer(run);
  waitWhilePaused(run);
  flush(run);
  if (!run.request.durable) settlePartial(run);
  if (run.request.verify) verify(run);
  confirmSource(run);
  waitWhilePaused(run);
  return publish(run);
}
