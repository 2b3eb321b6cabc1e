const tickMs = 1000;

/** One timer for all rows of the page: it runs only while some row has a duration that grows. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

export function tickEverySecond(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, tickMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
