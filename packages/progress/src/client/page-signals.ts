/** Signals of the page that contains the client. */
export interface PageSignals {
  isHidden(): boolean;
  /** Calls the listener when the page becomes visible, returns from the back/forward cache, or goes online. */
  onWake(listener: () => void): () => void;
}

/** The signals of the current page. Outside a browser the page counts as visible and sends no signals. */
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
