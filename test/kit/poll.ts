import { setTimeout as sleep } from 'node:timers/promises';

export interface PollOptions {
  /** Names the awaited event in the error. A function is called after the time-out, so that it can add what is known by then. */
  what: string | (() => string);
  /** @default 60000: generous, since a machine that is busy with other things is no fault of what is tested */
  timeoutMs?: number;
  /** @default 20 */
  everyMs?: number;
}

/**
 * Asks again and again until the answer is neither `undefined`, `null` nor `false`. This is the only way
 * in which tests wait: a sleep of fixed length is either too short on a busy machine or too long on a quiet one.
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
      throw new Error(`Waited ${timeoutMs} ms in vain for: ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(options.everyMs ?? 20);
  }
}
