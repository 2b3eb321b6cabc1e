import { CopyError } from '../contract/errors.ts';
import { showPath } from '../storage/paths.ts';
import type { CopyRun } from './copy-state.ts';

/** A copy that is paused for longer leaves its thread. */
const parkAfterMs = 1000;

/**
 * Blocks while the copy is paused. Called between windows and between phases. A long pause ends the run: `isParked`.
 * @param beforePause runs once when a pause begins, for example to set a checkpoint
 * @returns whether there was a pause
 * @throws CopyError `cancelled` or `suspended` if the caller has asked to stop, `suspended` in a long pause
 */
export function waitWhilePaused(run: CopyRun, beforePause?: () => void): boolean {
  let pausedMs: number | null = null;
  for (;;) {
    const wakeCount = run.slot.wakeCount();
    throwIfStopped(run);
    if (!run.slot.isPaused()) break;
    if (pausedMs === null) beforePause?.();
    pausedMs ??= performance.now();
    run.slot.setState('paused');
    const restMs = pausedMs + parkAfterMs - performance.now();
    if (restMs <= 0) park(run);
    run.slot.sleep(wakeCount, restMs);
  }
  if (pausedMs === null) return false;
  run.slot.setState('running');
  run.slot.touch();
  return true;
}

/** Unwinds the run, which then keeps its checkpoint and leaves its thread. */
function park(run: CopyRun): never {
  run.isParked = true;
  throw new CopyError('suspended', { path: showPath(run.request.destination) });
}

/** @throws CopyError `cancelled` or `suspended` if the caller has asked to stop */
export function throwIfStopped(run: CopyRun): void {
  const request = run.slot.stopRequest();
  if (request === 'none') return;
  throw new CopyError(request === 'cancel' ? 'cancelled' : 'suspended', {
    path: showPath(run.request.destination),
  });
}
