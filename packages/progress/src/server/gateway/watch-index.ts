/** The watchers of each operation, so that an update visits only the connections concerned. */
export interface WatchIndex<C> {
  join(id: string, watcher: C): void;
  leave(id: string, watcher: C): void;
  watchers(id: string): Iterable<C>;
  /** Connections that watch a list and therefore receive new operations. */
  readonly lists: Set<C>;
}

export function createWatchIndex<C>(): WatchIndex<C> {
  const byOperation = new Map<string, Set<C>>();
  return {
    join: (id, watcher) => {
      const watchers = byOperation.get(id);
      if (watchers === undefined) byOperation.set(id, new Set([watcher]));
      else watchers.add(watcher);
    },
    leave: (id, watcher) => {
      const watchers = byOperation.get(id);
      watchers?.delete(watcher);
      if (watchers?.size === 0) byOperation.delete(id);
    },
    watchers: (id) => byOperation.get(id) ?? [],
    lists: new Set(),
  };
}
