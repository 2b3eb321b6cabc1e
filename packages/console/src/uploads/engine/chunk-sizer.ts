const MIB = 1_048_576;
const LEAST_BYTES = 8 * MIB;
const MOST_BYTES = 64 * MIB;
const TOO_SOON_MS = 2000;
const TOO_LATE_MS = 5000;

/**
 * How much is sent in one request: so much that it takes two to five seconds. Less, and the way there and back
 * counts; more, and a cut connection costs more than it must.
 */
export class Pace {
  #bytes = LEAST_BYTES;

  get bytes(): number {
    return this.#bytes;
  }

  /** After a request that was full. */
  took(durationMs: number): void {
    if (durationMs < TOO_SOON_MS) this.#bytes = Math.min(MOST_BYTES, this.#bytes * 2);
    else if (durationMs > TOO_LATE_MS) this.slower();
  }

  slower(): void {
    this.#bytes = Math.max(LEAST_BYTES, this.#bytes / 2);
  }
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** How long to wait after the n-th failure in a row; never twice the same, so that clients do not come in step. */
export function waitMs(failures: number): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
  return most / 2 + (Math.random() * most) / 2;
}
