import type { ListScope } from '../core/protocol.ts';
import type { WatchListener } from './snapshot-cache.ts';

/** Who wants to hear of what. The same operation is asked for once, however many listen. */
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

  /** @returns a function that ends it and answers whether nobody listens any more */
  onId(id: string, listener: WatchListener): () => boolean {
    return join(this.#byId, id, listener);
  }

  /** @returns a function that ends it and answers whether nobody listens any more */
  onScope(scope: ListScope, listener: WatchListener): () => boolean {
    return join(this.#byScope, scope, listener);
  }

  /** Everyone who wants to hear of `id`: a list's listeners hear of what is watched by name too. */
  of(id: string): Iterable<WatchListener> {
    const all = new Set(this.#byId.get(id));
    for (const listeners of this.#byScope.values()) for (const listener of listeners) all.add(listener);
    return all;
  }
}

function join<Key>(map: Map<Key, Set<WatchListener>>, key: Key, listener: WatchListener): () => boolean {
  // One wrapper per call, so that the same function may be registered twice and removed once.
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
