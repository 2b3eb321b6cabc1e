import { CopyError } from '../contract/errors.ts';

/** Interval between two calls of `onProgress`, and between two values of a `for await` loop. */
export const reportIntervalMs = 100;

/** Wraps a callback of the caller: an error that it throws stops the request and becomes its failure. */
export type Guard = <Value>(callback: (value: Value) => void) => (value: Value) => void;

/** A request with the caller's signal and callbacks. */
export interface Watched<Progress, Result> {
  signal: AbortSignal | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  /** Reads the progress from shared memory. */
  read: () => Progress;
  /** Asks the worker to stop. */
  stop: () => void;
  start: (guard: Guard) => Promise<Result>;
}

/** Runs a request: aborts it by its signal, and reports its progress every 100 ms and once after its success. */
export async function runWatched<Progress, Result>(watched: Watched<Progress, Result>): Promise<Result> {
  const { signal, stop, onProgress } = watched;
  let thrown: { error: unknown } | null = null;
  const fail = (error: unknown): void => {
    thrown ??= { error };
    stop();
  };
  const guard: Guard = (callback) => (value) => {
    try {
      const returned: unknown = callback(value);
      // An async callback fails later.
      if (returned instanceof Promise) returned.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
  const report = guard(() => onProgress?.(watched.read()));
  // This must run before the start, because the worker may complete a small file before this thread runs again.
  if (signal?.aborted === true) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  const timer = onProgress === undefined ? undefined : setInterval(report, reportIntervalMs);
  const failure = (): { error: unknown } | null => thrown; // TypeScript does not see that `guard` sets it
  try {
    const result = await watched.start(guard);
    report(undefined);
    const late = failure();
    if (late !== null) throw late.error;
    return result;
  } catch (error) {
    throw failure() === null ? withAbortReason(error, signal) : failure()?.error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** The error of work that the signal has stopped. Any other error stays as it is. */
function withAbortReason(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted !== true || !(error instanceof CopyError) || error.code !== 'cancelled') return error;
  return new CopyError('cancelled', { path: error.path, signal });
}
