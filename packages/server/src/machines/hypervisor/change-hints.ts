/** Hints of change: several at once become one. */
export interface Changes {
  readonly tell: () => void;
  readonly listen: (listener: () => void) => () => void;
}

/** A start alone makes some ten events. */
const gatherMs = 50;

export function createChanges(): Changes {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | null = null;
  const tellAll = (): void => {
    timer = null;
    for (const listener of listeners) listener();
  };
  return {
    tell() {
      if (listeners.size === 0) return;
      timer ??= setTimeout(tellAll, gatherMs).unref();
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
