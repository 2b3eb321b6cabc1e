import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem } from '@wcc/api/client';
import { CliError, toDistrust } from '../runtime/errors.ts';

const baseMs = 500;
const capMs = 10_000;
/** HTTP statuses to retry: request timeout, locked by another connection, too many requests. */
const retryableStatuses: ReadonlySet<number> = new Set([408, 423, 429]);

/** True for errors that a retry may solve: network, restart, an upload locked by another connection. */
export function isRetryable(error: unknown): error is ApiProblem {
  // Another key does not become the right one.
  if (!(error instanceof ApiProblem) || toDistrust(error) !== null) return false;
  const { status, code } = error;
  if (code === 'offset_mismatch' || code === 'checksum_mismatch') return true;
  return status === 0 || (status >= 500 && status !== 507) || retryableStatuses.has(status);
}

/** Waits between retries with exponential back-off, and gives up after a time without progress. */
export class RetryDeadline {
  readonly #giveUpAfterMs: number;
  /** The hint of the error after giving up. */
  readonly #hint: string;
  readonly #report: (text: string) => void;
  #attempt = 0;
  #progressAtMs = performance.now();
  #furthest = -1;

  /** `report` gets a line at the first failure of each outage. */
  constructor(giveUpAfterMs: number, { hint, report }: { hint: string; report: (text: string) => void }) {
    this.#hint = hint;
    this.#report = report;
    this.#giveUpAfterMs = giveUpAfterMs;
  }

  /** Records progress: more bytes are durable. The next failure counts as the first. */
  progressed(offsetBytes: number): void {
    if (offsetBytes <= this.#furthest) return;
    this.#furthest = offsetBytes;
    this.#attempt = 0;
    this.reset();
  }

  /** Restarts the time without progress, e.g. because the operation is paused. */
  reset(): void {
    this.#progressAtMs = performance.now();
  }

  /**
   * Waits with full jitter, so that many clients do not return at once, but not beyond the deadline.
   * @throws CliError after the deadline
   */
  async wait(error: ApiProblem, signal: AbortSignal): Promise<void> {
    const waitedMs = performance.now() - this.#progressAtMs;
    if (waitedMs > this.#giveUpAfterMs) {
      throw new CliError('unreachable', `No progress for too long. ${error.message}`, {
        code: error.code,
        hint: this.#hint,
        cause: error,
      });
    }
    if (this.#attempt === 0) this.#report(`${error.message} Trying again.`);
    const jitterMs = Math.random() * Math.min(capMs, baseMs * 2 ** this.#attempt++);
    const wantedMs = Math.max(jitterMs, (error.retryAfterS ?? 0) * 1000);
    await sleep(Math.min(wantedMs, this.#giveUpAfterMs - waitedMs), undefined, { signal });
  }
}
