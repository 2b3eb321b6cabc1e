import { setTimeout as sleep } from 'node:timers/promises';

export interface PollOptions {
  /** Names the awaited event in the error. A function is called after the time-out and can add the last state. */
  what: string | (() => string);
  /** @default 60000, which is enough on a busy computer */
  timeoutMs?: number;
  /** @default 20 */
  everyMs?: number;
}

/**
 * Polls until the result is not `undefined`, `null` or `false`. Tests wait only by this function, because a fixed
 * sleep is too short on a busy computer or too long on an idle one.
 */
export async function until<T>(
  check: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  options: PollOptions,
): Promise<T> {
  const { what, timeoutMs = 60_000 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await check();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (performance.now() > deadline) {
      throw new Error(
        `Waited ${timeoutMs} ms without success for: ${typeof what === 'string' ? what : what()}`,
      );
    }
    await sleep(options.everyMs ?? 20);
  }
}
