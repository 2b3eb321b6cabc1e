import type { Timing } from './timing.ts';

const firstMinuteMs = 60_000;
// 2^16 × the base is far above every cap; more would only risk Infinity.
const maxDoublings = 16;

export interface BackoffOptions {
  timing: Timing;
  now: () => number;
  /** 0 ≤ n < 1. */
  random: () => number;
}

/**
 * How long to wait before the next attempt: full jitter, so that the clients of a restarted server do
 * not come back in one herd.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;
  #troubleSince: number | null = null;
  #upSince: number | null = null;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  up(): void {
    this.#upSince = this.#options.now();
  }

  /** Counts a failure and answers the wait after it, in milliseconds. */
  next(): number {
    const { timing, now, random } = this.#options;
    const at = now();
    // A connection that falls right after it rose is the same trouble going on.
    if (this.#upSince !== null && at - this.#upSince >= timing.resetAfterMs) this.reset();
    this.#upSince = null;
    this.#troubleSince ??= at;
    const early = at - this.#troubleSince < firstMinuteMs;
    const cap = early ? timing.backoffCapFirstMinuteMs : timing.backoffCapMs;
    const ceiling = Math.min(cap, timing.backoffBaseMs * 2 ** Math.min(this.#failures, maxDoublings));
    this.#failures += 1;
    return random() * ceiling;
  }

  reset(): void {
    this.#failures = 0;
    this.#troubleSince = null;
    this.#upSince = null;
  }
}
