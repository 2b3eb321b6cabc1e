import { backoffBaseMs, backoffCapFirstMinuteMs, backoffCapMs, resetAfterMs } from '../core/protocol.ts';

const firstMinuteMs = 60_000;

/** What tests replace. */
export interface Clock {
  /** Monotonic clock in milliseconds. @default performance.now */
  now: () => number;
  /** Returns a number from 0 to below 1. @default Math.random */
  random: () => number;
  /** Factor of all timers of the protocol. @default 1 */
  scale: number;
}

/**
 * The wait before the next attempt, with full jitter, so that the clients of a restarted server do not reconnect
 * all at once.
 */
export class Backoff {
  readonly #clock: Clock;
  #failures = 0;
  #failingSince: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Counts a failure.
   *
   * @param onlineMs how long the lost connection was up. One lost soon continues the same series of failures
   * @returns the wait before the next attempt, in milliseconds
   */
  nextWaitMs(onlineMs: number): number {
    const { now, random, scale } = this.#clock;
    if (onlineMs >= resetAfterMs * scale) this.reset();
    this.#failingSince ??= now();
    const isEarly = now() - this.#failingSince < firstMinuteMs;
    const cap = isEarly ? backoffCapFirstMinuteMs : backoffCapMs;
    return random() * scale * Math.min(cap, backoffBaseMs * 2 ** this.#failures++);
  }

  reset(): void {
    this.#failures = 0;
    this.#failingSince = null;
  }
}
