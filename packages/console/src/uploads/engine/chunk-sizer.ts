const mib = 1_048_576;
const minBytes = 8 * mib;
const maxBytes = 64 * mib;
const tooSoonMs = 2000;
const tooLateMs = 5000;

/**
 * Size of one request, so that it takes two to five seconds. Smaller requests waste round trips; larger ones
 * lose more when a connection breaks.
 */
export class ChunkSizer {
  #bytes = minBytes;

  get bytes(): number {
    return this.#bytes;
  }

  /** Call after a request of full size. */
  recordDuration(durationMs: number): void {
    if (durationMs < tooSoonMs) this.#bytes = Math.min(maxBytes, this.#bytes * 2);
    else if (durationMs > tooLateMs) this.shrink();
  }

  shrink(): void {
    this.#bytes = Math.max(minBytes, this.#bytes / 2);
  }
}

const firstWaitMs = 500;
const maxWaitMs = 15_000;

/**
 * Wait after the n-th failure in a row: exponential, with jitter so that clients do not retry at the same
 * time.
 */
export function waitMs(failures: number): number {
  const most = Math.min(maxWaitMs, firstWaitMs * 2 ** failures);
  return most / 2 + (Math.random() * most) / 2;
}
