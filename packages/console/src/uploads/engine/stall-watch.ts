import type { OperationsState } from '../../operations/operations-state.ts';

export interface StallWatchOptions {
  id: string;
  operations: Pick<OperationsState, 'get' | 'listen'>;
  isOnline: () => boolean;
  /** Asks the server how far it is, on another connection. */
  probe: () => Promise<number>;
  /** The request is not going to end. */
  onStalled: (reason: unknown) => void;
}

const pollMs = 1000;
const askAfterMs = 20_000;
const deadAfterMs = 60_000;

/**
 * Finds out that a request is dead: no browser does, when a network swallows what is sent. While the operation
 * moves, all is well. When it does not, or when the page has lost its connection, the server is asked; no answer,
 * or a minute of the same one, and the request is given up.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #unlisten: () => void;
  #movedAt = performance.now();
  #askedAt = 0;
  #known = -1;
  #isAsking = false;

  constructor(options: StallWatchOptions) {
    this.#options = options;
    this.#unlisten = options.operations.listen(options.id, () => this.#onSnapshot());
    this.#timer = setInterval(() => void this.#look(), pollMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#unlisten();
  }

  #onSnapshot(): void {
    const snapshot = this.#options.operations.get(this.#options.id)?.snapshot;
    const phase = snapshot?.phases[snapshot.phaseIndex];
    // When all bytes are there, the server works on: that may last without a number.
    const done = phase === undefined || !('done' in phase) || phase.name !== 'receive' ? -1 : phase.done;
    if (done === -1 || done > this.#known) this.#moved(done);
  }

  #moved(offsetBytes: number): void {
    this.#known = Math.max(this.#known, offsetBytes);
    this.#movedAt = performance.now();
  }

  async #look(): Promise<void> {
    const idleMs = performance.now() - this.#movedAt;
    const sinceAskedMs = performance.now() - this.#askedAt;
    const isDue = idleMs > askAfterMs ? sinceAskedMs > askAfterMs / 2 : sinceAskedMs > askAfterMs;
    const hasReason = idleMs > askAfterMs || !this.#options.isOnline();
    if (this.#isAsking || !isDue || !hasReason) return;
    this.#isAsking = true;
    this.#askedAt = performance.now();
    try {
      const offsetBytes = await this.#options.probe();
      if (offsetBytes > this.#known) this.#moved(offsetBytes);
      else if (idleMs > deadAfterMs) this.#options.onStalled(new Error('Nothing moves.'));
    } catch (error) {
      this.#options.onStalled(error);
    } finally {
      this.#isAsking = false;
    }
  }
}
