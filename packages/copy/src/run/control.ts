import { CopyError } from '../contract/errors.ts';
import { showPath } from '../storage/paths.ts';
import type { CopyRun } from './copy-state.ts';

/**
 * Blocks while the copy is paused. Called between windows and between phases.
 * @param beforePause runs once when a pause begins, for example to set a checkpoint
 * @returns whether there was a pause
 * @throws CopyError `cancelled` or `interrupted` if the caller has asked to stop
 */
export function waitWhilePaused(run: CopyRun, beforePause?: () => void): boolean {
  let hasPaused = false;
  for (;;) {
    const wakeCount = run.slot.wakeCount();
    throwIfStopped(run);
    if (!run.slot.isPaused()) break;
    if (!hasPaused) beforePause?.();
    hasPaused = true;
    run.slot.setState('paused');
    run.slot.sleep(wakeCount, Infinity);
  }
  if (hasPaused) {
    run.slot.setState('running');
    run.slot.touch();
  }
  return hasPaused;
}

/** @throws CopyError `cancelled` or `interrupted` if the caller has asked to stop */
export function throwIfStopped(run: CopyRun): void {
  const request = run.slot.stopRequest();
  if (request === 'none') return;
  throw new CopyError(request === 'cancel' ? 'cancelled' : 'interrupted', {
    path: showPath(run.request.destination),
  });
}
