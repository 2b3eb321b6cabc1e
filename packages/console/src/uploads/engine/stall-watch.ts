import type { OperationsState } from '../../operations/operations-state.ts';

export interface StallWatchOptions {
  id: string;
  operations: Pick<OperationsState, 'get' | 'listen'>;
  isOnline: () => boolean;
  /** Asks the server for its offset, on another connection. */
  probe: () => Promise<number>;
  /** The request is dead and should be aborted. */
  onStalled: (reason: unknown) => void;
}

const pollMs = 1000;
const askAfterMs = 20_000;
const deadAfterMs = 60_000;

/**
 * Detects a dead request: a browser does not when the network drops packets silently. When the operation
 * makes no progress, or the page is offline, it probes the server. It gives the request up after a failed
 * probe, or after a minute without progress.
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
    // After the last byte the server works on without a byte count.
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
      else if (idleMs > deadAfterMs) this.#options.onStalled(new Error('No progress.'));
    } catch (error) {
      this.#options.onStalled(error);
    } finally {
      this.#isAsking = false;
    }
  }
}
