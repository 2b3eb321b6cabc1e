import type { OnError } from '@wcc/progress/server';
import { ballastBytes, ballastPath } from './ballast.ts';
import { fillBallast } from './fill-ballast.ts';

const lookMs = 5_000;

export interface BallastState {
  sizeBytes: number;
  /** The size that this file system gets. */
  targetBytes: number;
}

/** Keeps the ballast whole while the store is open. */
export interface KeptBallast {
  state(): BallastState | null;
  close(): void;
}

/** Makes the ballast, and makes it whole again after a release when there is space. Never fails. */
export async function keepBallast(
  databasePath: string,
  { onError, isHeld }: { onError: OnError; isHeld: () => boolean },
): Promise<KeptBallast> {
  const path = ballastPath(databasePath);
  let targetBytes: number | null = null;
  let failure = '';
  const fill = async (isStart: boolean): Promise<void> => {
    // Changes in memory have the first claim to space.
    if (isHeld()) return;
    try {
      targetBytes = await fillBallast(path, { isStart });
      failure = '';
    } catch (error) {
      // Reported once, not at every look.
      if (String(error) !== failure) onError(error, { stage: 'storage: ballast' });
      failure = String(error);
    }
  };
  await fill(true);
  let isFilling = false;
  const timer = setInterval(() => {
    if (isFilling) return;
    isFilling = true;
    void fill(false).finally(() => (isFilling = false));
  }, lookMs).unref();
  return {
    state: () => (targetBytes === null ? null : { sizeBytes: ballastBytes(path), targetBytes }),
    close: () => clearInterval(timer),
  };
}
