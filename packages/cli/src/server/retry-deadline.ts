import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem } from '@wcc/api/client';
import { CliError } from '../runtime/errors.ts';

const baseMs = 500;
const capMs = 10_000;
/** Too slow, held by another connection, too fast. */
const passing: ReadonlySet<number> = new Set([408, 423, 429]);

/** What passes by itself: the network, a restart, another connection that still holds the upload. */
export function passes(error: unknown): error is ApiProblem {
  if (!(error instanceof ApiProblem)) return false;
  const { status, code } = error;
  if (code === 'offset_mismatch' || code === 'checksum_mismatch') return true;
  return status === 0 || (status >= 500 && status !== 507) || passing.has(status);
}

/** Counts how long nothing went on, and waits longer from time to time. */
export class Patience {
  readonly #giveUpAfterMs: number;
  /** What remains, and how to go on. */
  readonly #hint: string;
  #attempt = 0;
  #movedAtMs = performance.now();
  #furthest = -1;

  constructor(giveUpAfterMs: number, hint: string) {
    this.#hint = hint;
    this.#giveUpAfterMs = giveUpAfterMs;
  }

  /** Bytes became safe: the next failure counts as the first. */
  moved(offsetBytes: number): void {
    if (offsetBytes <= this.#furthest) return;
    this.#furthest = offsetBytes;
    this.#attempt = 0;
    this.rest();
  }

  /** Somebody paused it: waiting is what was asked for. */
  rest(): void {
    this.#movedAtMs = performance.now();
  }

  /** Full jitter: many senders that a restart cut off come back one by one. @throws CliError when it is enough */
  async wait(error: ApiProblem, signal: AbortSignal): Promise<void> {
    const waitedMs = performance.now() - this.#movedAtMs;
    if (waitedMs > this.#giveUpAfterMs) {
      throw new CliError('unreachable', `Nothing went on for too long. ${error.message}`, {
        code: error.code,
        hint: this.#hint,
        cause: error,
      });
    }
    const jitterMs = Math.random() * Math.min(capMs, baseMs * 2 ** this.#attempt++);
    await sleep(Math.max(jitterMs, (error.retryAfterS ?? 0) * 1000), undefined, { signal });
  }
}
