/** Emits hints that something changed. Hints within a short time become one. */
export interface ChangeHints {
  readonly emit: () => void;
  readonly subscribe: (listener: () => void) => () => void;
}

/** How long hints are collected; a single start causes about ten events. */
const collectMs = 50;

export function createChangeHints(): ChangeHints {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | null = null;
  const notify = (): void => {
    timer = null;
    for (const listener of listeners) listener();
  };
  return {
    emit() {
      if (listeners.size === 0) return;
      timer ??= setTimeout(notify, collectMs).unref();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
