const mib = 1_048_576;
const minBytes = 8 * mib;
const maxBytes = 64 * mib;
const tooSoonMs = 2000;
const tooLateMs = 5000;

/**
 * How much is sent in one request: so much that it takes two to five seconds. Less, and the way there and back
 * counts; more, and a cut connection costs more than it must.
 */
export class ChunkSizer {
  #bytes = minBytes;

  get bytes(): number {
    return this.#bytes;
  }

  /** After a request that was full. */
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

/** How long to wait after the n-th failure in a row; never twice the same, so that clients do not come in step. */
export function waitMs(failures: number): number {
  const most = Math.min(maxWaitMs, firstWaitMs * 2 ** failures);
  return most / 2 + (Math.random() * most) / 2;
}
