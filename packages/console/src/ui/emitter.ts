/** Notifies listeners of a change without data; listeners read the new state. */
export class Emitter {
  readonly #listeners = new Set<() => void>();

  listen(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  emit(): void {
    for (const listener of this.#listeners) listener();
  }
}
