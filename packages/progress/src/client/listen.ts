import type { WatchListener } from './entry.ts';

/** Options of `watch` and `watchList`. */
export interface WatchOptions {
  signal?: AbortSignal | undefined;
}

export interface Listening extends WatchOptions {
  listener: WatchListener;
  /** Called before the first listener is added. */
  onFirst: () => void;
  /** Calls the new listener with what is known. */
  replay: (own: WatchListener) => void;
  /** Called when the last listener stops. */
  onLast: () => void;
}

/** Adds a listener to a set, unless its signal is aborted. @returns stops it, as the signal does */
export function listen(
  listeners: Set<WatchListener>,
  { listener, signal, onFirst, replay, onLast }: Listening,
): () => void {
  // Wrapped, so that the same function can be added twice and removed once. Another listener may stop this one.
  const own: WatchListener = (snapshot, may) => {
    if (listeners.has(own)) listener(snapshot, may);
  };
  const stop = (): void => {
    signal?.removeEventListener('abort', stop);
    if (listeners.delete(own) && listeners.size === 0) onLast();
  };
  if (signal?.aborted) return stop;
  signal?.addEventListener('abort', stop);
  if (listeners.size === 0) onFirst();
  listeners.add(own);
  replay(own);
  return stop;
}
