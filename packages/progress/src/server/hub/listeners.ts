/** Listeners that cannot harm each other: what one throws is reported, the others still hear. */
export interface Listeners<A extends unknown[]> {
  add(listener: (...args: A) => void): () => void;
  call(...args: A): void;
  clear(): void;
}

export function createListeners<A extends unknown[]>(report: (error: unknown) => void): Listeners<A> {
  const held = new Set<(...args: A) => void>();
  return {
    add: (listener) => {
      // Wrapped, so that one function may listen twice and leave twice.
      const own = (...args: A): void => listener(...args);
      held.add(own);
      return () => void held.delete(own);
    },
    call: (...args) => {
      for (const listener of held) {
        try {
          listener(...args);
        } catch (error) {
          report(error);
        }
      }
    },
    clear: () => held.clear(),
  };
}
