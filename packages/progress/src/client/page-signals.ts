/** What the page around the client says; outside a browser nothing ever does. */
export interface PageSignals {
  isHidden(): boolean;
  /** Calls back when the page becomes visible, comes back from the back/forward cache, or gets a network. */
  onWake(listener: () => void): () => void;
}

export function createPageSignals(): PageSignals {
  if (typeof document === 'undefined' || typeof window === 'undefined')
    return { isHidden: () => false, onWake: () => () => undefined };
  return {
    isHidden: () => document.visibilityState === 'hidden',
    onWake: (listener) => {
      const onVisibility = (): void => {
        if (document.visibilityState === 'visible') listener();
      };
      document.addEventListener('visibilitychange', onVisibility);
      window.addEventListener('online', listener);
      window.addEventListener('pageshow', listener);
      return () => {
        document.removeEventListener('visibilitychange', onVisibility);
        window.removeEventListener('online', listener);
        window.removeEventListener('pageshow', listener);
      };
    },
  };
}
