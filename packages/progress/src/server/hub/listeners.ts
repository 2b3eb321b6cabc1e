/** A set of listeners. An error of one is reported and does not stop the others. */
export interface Listeners<A extends unknown[]> {
  add(listener: (...args: A) => void): () => void;
  call(...args: A): void;
  clear(): void;
}

export function createListeners<A extends unknown[]>(report: (error: unknown) => void): Listeners<A> {
  const listeners = new Set<(...args: A) => void>();
  return {
    add: (listener) => {
      // Wrapped, so that the same function can be added and removed twice.
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
