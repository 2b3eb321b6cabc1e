import type { Timing } from './timing.ts';

const firstMinuteMs = 60_000;
// 2^16 × the base exceeds every cap; the limit avoids Infinity.
const maxDoublings = 16;

export interface BackoffOptions {
  timing: Timing;
  now: () => number;
  /** 0 ≤ n < 1. */
  random: () => number;
}

/**
 * The wait before the next attempt, with full jitter, so that the clients of a restarted server do not reconnect
 * all at once.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;
  #failingSince: number | null = null;
  #connectedSince: number | null = null;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Records a successful connection. */
  connected(): void {
    this.#connectedSince = this.#options.now();
  }

  /** Counts a failure. @returns the wait before the next attempt, in milliseconds */
  nextWaitMs(): number {
    const { timing, now, random } = this.#options;
    const at = now();
    // A connection lost soon after it opened continues the same series of failures.
    if (this.#connectedSince !== null && at - this.#connectedSince >= timing.resetAfterMs) this.reset();
    this.#connectedSince = null;
    this.#failingSince ??= at;
    const early = at - this.#failingSince < firstMinuteMs;
    const cap = early ? timing.backoffCapFirstMinuteMs : timing.backoffCapMs;
    const ceiling = Math.min(cap, timing.backoffBaseMs * 2 ** Math.min(this.#failures, maxDoublings));
    this.#failures += 1;
    return random() * ceiling;
  }

  reset(): void {
    this.#failures = 0;
    this.#failingSince = null;
    this.#connectedSince = null;
  }
}
