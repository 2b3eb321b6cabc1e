export interface RepeatOptions {
  /** Time before the first call, and between the starts of calls. */
  everyMs: number;
  onError: (error: unknown) => void;
  /** The pause after a call that took this time. @default the rest of its last interval */
  pauseAfter?: (tookMs: number) => number;
}

/**
 * Calls an asynchronous function again and again, one call at a time. Does not keep the process alive.
 * @returns a function that stops it
 */
export function repeat(
  call: () => Promise<void>,
  { everyMs, onError, pauseAfter = (tookMs) => everyMs - (tookMs % everyMs) }: RepeatOptions,
): () => void {
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;
  const start = (pauseMs: number): void => {
    timer = setTimeout(() => void run(), pauseMs).unref();
  };
  const run = async (): Promise<void> => {
    const startedAtMs = performance.now();
    await call().catch(onError);
    if (!isStopped) start(pauseAfter(performance.now() - startedAtMs));
  };
  start(everyMs);
  return () => {
    isStopped = true;
    if (timer !== null) clearTimeout(timer);
  };
}
