import type { Principal } from '../access/principal.ts';

/** Maximum delay of a timer, about 24.8 days. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Calls `end` when the session or token expires. The timer does not keep the process alive.
 * @returns cancels the timer
 */
export function scheduleExpiry({ expiresAtMs }: Pick<Principal, 'expiresAtMs'>, end: () => void): () => void {
  if (expiresAtMs === null) return () => {};
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const leftMs = expiresAtMs - Date.now();
    if (leftMs <= 0) return end();
    timer = setTimeout(wait, Math.min(leftMs, longestTimerMs)).unref();
  };
  wait();
  return () => clearTimeout(timer);
}
