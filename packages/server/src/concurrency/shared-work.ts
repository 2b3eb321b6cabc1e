import { abortable } from './abortable.ts';

/** Work whose result several callers share. It begins once for each key, and its result is kept for later callers. */
export interface SharedWork<Value> {
  /**
   * @param work begins if no result is kept and no work runs for the key. Its signal aborts when no caller waits.
   * @param signal the caller waits no longer; the promise rejects with its reason
   */
  get(key: string, work: (signal: AbortSignal) => Promise<Value>, signal?: AbortSignal): Promise<Value>;
}

interface Running<Value> {
  promise: Promise<Value>;
  stopping: AbortController;
  waiting: number;
}

/** @param maxKept number of results that are kept; the one that was used least recently goes first */
export function createSharedWork<Value>({ maxKept }: { maxKept: number }): SharedWork<Value> {
  const kept = new Map<string, Value>();
  const running = new Map<string, Running<Value>>();

  function keep(key: string, value: Value): void {
    kept.delete(key);
    kept.set(key, value);
    const [oldest] = kept.keys();
    if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest);
  }
  function begin(key: string, work: (signal: AbortSignal) => Promise<Value>): Running<Value> {
    const stopping = new AbortController();
    const one: Running<Value> = { promise: work(stopping.signal), stopping, waiting: 0 };
    running.set(key, one);
    const forget = (): void => {
      if (running.get(key) === one) running.delete(key);
    };
    one.promise
      .then(
        (value) => keep(key, value),
        () => {},
      )
      .finally(forget);
    return one;
  }
  function leave(key: string, one: Running<Value>): void {
    one.waiting -= 1;
    if (one.waiting > 0 || running.get(key) !== one) return;
    // A later caller begins again, because this work ends without a result.
    running.delete(key);
    one.stopping.abort();
  }
  return {
    async get(key, work, signal) {
      signal?.throwIfAborted();
      const value = kept.get(key);
      if (value !== undefined) {
        keep(key, value);
        return value;
      }
      const one = running.get(key) ?? begin(key, work);
      one.waiting += 1;
      try {
        return await (signal === undefined ? one.promise : abortable(one.promise, signal));
      } finally {
        leave(key, one);
      }
    },
  };
}
