import { Emitter } from './emitter.ts';

/** A whole that is asked for over HTTP, again and again, and whether the last time went well. */
export abstract class LoadedState {
  /** What is held, or what is wrong with it, may be another now. */
  readonly changed: Emitter = new Emitter();
  #problem: unknown = null;
  #isLoaded = false;
  #loading: Promise<void> | null = null;
  #isStale = false;

  /** Asks for all of it, and keeps it. @throws what went wrong; what was held stays then */
  protected abstract fetch(): Promise<void>;

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Why the last load failed; `null` when it did not. */
  get problem(): unknown {
    return this.#problem;
  }

  /** Loads anew. Calls during a load make one more after it, so that nobody sees an older list. */
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
