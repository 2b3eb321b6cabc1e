/** Hints of change: several at once become one. */
export interface ChangeHints {
  readonly emit: () => void;
  readonly subscribe: (listener: () => void) => () => void;
}

/** A start alone makes some ten events. */
const gatherMs = 50;

export function createChangeHints(): ChangeHints {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | null = null;
  const tellAll = (): void => {
    timer = null;
    for (const listener of listeners) listener();
  };
  return {
    emit() {
      if (listeners.size === 0) return;
      timer ??= setTimeout(tellAll, gatherMs).unref();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
