import type { Principal } from '../access/principal.ts';

/** Timers hold no more: about 24.8 days. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Ends what was opened under a session or a token when that expires: nobody else tells. Does not keep the process alive.
 * @returns forgets it
 */
export function onExpiry({ expiresAtMs }: Pick<Principal, 'expiresAtMs'>, end: () => void): () => void {
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
