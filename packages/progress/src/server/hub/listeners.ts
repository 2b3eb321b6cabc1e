/** A set of listeners. If a listener throws, `report` gets the error and the other listeners still run. */
export interface Listeners<A extends unknown[]> {
  add(listener: (...args: A) => void): () => void;
  call(...args: A): void;
  clear(): void;
}

export function createListeners<A extends unknown[]>(report: (error: unknown) => void): Listeners<A> {
  const listeners = new Set<(...args: A) => void>();
  return {
    add: (listener) => {
      // Each call adds a new wrapper, so the same function can be added twice and removed once.
      const own = (...args: A): void => listener(...args);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    call: (...args) => {
      for (const listener of listeners) {
        try {
          listener(...args);
        } catch (error) {
          report(error);
        }
      }
    },
    clear: () => listeners.clear(),
  };
}
