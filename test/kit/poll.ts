import { setTimeout as sleep } from 'node:timers/promises';

export interface PollOptions {
  /** What is waited for, named in the error. */
  what: string;
  /** @default 30000 */
  timeoutMs?: number;
  /** @default 20 */
  everyMs?: number;
}

/**
 * Asks again and again until the answer is neither `undefined`, `null` nor `false`. This is the only way
 * in which tests wait: a sleep of fixed length is either too short on a busy machine or too long on a quiet one.
 */
export async function until<T>(
  ask: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  options: PollOptions,
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 30_000);
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (performance.now() > deadline) {
      throw new Error(`Waited ${options.timeoutMs ?? 30_000} ms in vain for: ${options.what}`);
    }
    await sleep(options.everyMs ?? 20);
  }
}
