export interface WatchOptions {
  /** The service manager kills this process after this time without a sign of life. */
  watchdogMs: number;
  /** Sends a sign of life. */
  feed: () => void;
}

/** Signs of life per watchdog time, so that a lost or late one does no harm. */
const asksPerTime = 4;

/**
 * Sends a sign of life from the main loop each time `ping` resolves. A `ping` that stays pending is not asked again: its
 * answer, however late, is the next sign. Runs until the process ends, because a stop may hang too.
 */
export function watch(ping: () => Promise<void>, { watchdogMs, feed }: WatchOptions): void {
  let isPending = false;
  const ask = (): void => {
    if (isPending) return;
    isPending = true;
    void ping().then(() => {
      isPending = false;
      feed();
    });
  };
  ask();
  setInterval(ask, watchdogMs / asksPerTime).unref();
}
