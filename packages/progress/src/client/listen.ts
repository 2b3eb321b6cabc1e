import type { WatchListener } from './entry.ts';

/** Options of `watch` and `watchList`. */
export interface WatchOptions {
  signal?: AbortSignal | undefined;
}

export interface Listening extends WatchOptions {
  listener: WatchListener;
  /** Called before the first listener is added. */
  open: () => void;
  /** Calls the new listener with what is known. */
  replay: (own: WatchListener) => void;
  /** Called when the last listener stops. */
  close: () => void;
}

/** Calls the listener when the signal aborts. @returns a function that ends this */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  signal?.addEventListener('abort', listener);
  return () => signal?.removeEventListener('abort', listener);
}

/** Adds a listener to a set, unless its signal is aborted. @returns stops it, as the signal does */
export function listen(
  listeners: Set<WatchListener>,
  { listener, signal, open, replay, close }: Listening,
): () => void {
  // Wrapped, so that the same function can be added twice and removed once. Another listener may stop this one.
  const own: WatchListener = (snapshot, may) => {
    if (listeners.has(own)) listener(snapshot, may);
  };
  const stop = (): void => {
    stopWaiting();
    if (listeners.delete(own) && listeners.size === 0) close();
  };
  const stopWaiting = onAbort(signal, stop);
  if (signal?.aborted) return stop;
  if (listeners.size === 0) open();
  listeners.add(own);
  replay(own);
  return stop;
}
