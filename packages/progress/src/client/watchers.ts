import type { ListScope } from '../core/protocol.ts';
import type { WatchListener } from './snapshot-cache.ts';

/** The listeners of each operation and list. */
export class Watchers {
  readonly #byId = new Map<string, Set<WatchListener>>();
  readonly #byScope = new Map<ListScope, Set<WatchListener>>();

  ids(): string[] {
    return [...this.#byId.keys()];
  }

  scopes(): ListScope[] {
    return [...this.#byScope.keys()];
  }

  hasId(id: string): boolean {
    return this.#byId.has(id);
  }

  hasScope(scope: ListScope): boolean {
    return this.#byScope.has(scope);
  }

  /** @returns a function that removes the listener and returns true if it was the last one */
  addForId(id: string, listener: WatchListener): () => boolean {
    return addListener(this.#byId, id, listener);
  }

  /** @returns a function that removes the listener and returns true if it was the last one */
  addForScope(scope: ListScope, listener: WatchListener): () => boolean {
    return addListener(this.#byScope, scope, listener);
  }

  /** All listeners for an operation. Those of a list also receive operations watched by name. */
  listenersOf(id: string): Iterable<WatchListener> {
    const all = new Set(this.#byId.get(id));
    for (const listeners of this.#byScope.values()) for (const listener of listeners) all.add(listener);
    return all;
  }
}

function addListener<Key>(
  map: Map<Key, Set<WatchListener>>,
  key: Key,
  listener: WatchListener,
): () => boolean {
  // Wrapped, so that the same function can be added twice and removed once.
  const own: WatchListener = (snapshot, may) => listener(snapshot, may);
  const listeners = map.get(key) ?? new Set();
  map.set(key, listeners.add(own));
  return () => {
    listeners.delete(own);
    if (listeners.size > 0 || map.get(key) !== listeners) return false;
    map.delete(key);
    return true;
  };
}
