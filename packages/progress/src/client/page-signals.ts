/** Signals of the page that contains the client. */
export interface PageSignals {
  isHidden(): boolean;
  /** Calls the listener when the page is shown or hidden, returns from the back/forward cache, or goes online. */
  onWake(listener: () => void): () => void;
}

/** The signals of the current page. Outside a browser the page counts as visible and sends no signals. */
export function createPageSignals(): PageSignals {
  const scope = globalThis as Partial<typeof globalThis>;
  return {
    isHidden: () => scope.document?.visibilityState === 'hidden',
    onWake: (listener) => {
      const stopping = new AbortController();
      // `visibilitychange` bubbles from the document.
      for (const name of ['visibilitychange', 'online', 'pageshow'])
        scope.addEventListener?.(name, listener, { signal: stopping.signal });
      return () => stopping.abort();
    },
  };
}
