import { Emitter } from './emitter.ts';

/** State that is loaded as a whole over HTTP, repeatedly. */
export abstract class LoadedState {
  /** A load ended: data or {@link problem} may have changed. */
  readonly changed: Emitter = new Emitter();
  #problem: unknown = null;
  #isLoaded = false;
  #loading: Promise<void> | null = null;
  #isStale = false;

  /** Loads and stores the data. @throws on failure, and leaves the old data */
  protected abstract fetch(): Promise<void>;

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Why the last load failed; `null` when it did not. */
  get problem(): unknown {
    return this.#problem;
  }

  /**
   * Loads again. Calls during a load cause one more load after it, so that the result is never older than the
   * call.
   */
  async load(): Promise<void> {
    if (this.#loading !== null) {
      this.#isStale = true;
      return this.#loading;
    }
    this.#loading = this.#loadOnce().finally(() => {
      this.#loading = null;
      this.changed.emit();
      if (!this.#isStale) return;
      this.#isStale = false;
      void this.load();
    });
    return this.#loading;
  }

  async #loadOnce(): Promise<void> {
    try {
      await this.fetch();
      this.#isLoaded = true;
      this.#problem = null;
    } catch (error) {
      this.#problem = error;
    }
  }
}
