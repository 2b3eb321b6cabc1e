import { CopyError } from '../contract/errors.ts';
import { showPath } from '../storage/paths.ts';
import type { CopyRun } from './copy-state.ts';

/**
 * Heeds what the main thread wishes: throws `cancelled` or `interrupted`, and stays here while the copy is
 * paused. Called between windows and between phases.
 * @param beforePause runs once when a pause begins, e.g. to set a checkpoint
 * @returns whether there was a pause
 */
export function waitWhilePaused(run: CopyRun, beforePause?: () => void): boolean {
  let hasPaused = false;
  for (;;) {
    const bell = run.slot.wakeCount();
    throwIfStopped(run);
    if (!run.slot.isPaused()) break;
    if (!hasPaused) beforePause?.();
    hasPaused = true;
    run.slot.setState('paused');
    run.slot.sleep(bell, Infinity);
  }
  if (hasPaused) {
    run.slot.setState('running');
    run.slot.touch();
  }
  return hasPaused;
}

export function throwIfStopped(run: CopyRun): void {
  const wish = run.slot.stopRequest();
  if (wish === 'none') return;
  throw new CopyError(wish === 'cancel' ? 'cancelled' : 'interrupted', {
    path: showPath(run.request.destination),
  });
}
