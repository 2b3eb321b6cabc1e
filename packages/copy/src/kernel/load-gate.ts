import { workerData } from 'node:worker_threads';

/**
 * Loading koffi must not be interrupted: if its thread is stopped then, Node aborts the process ("napi_throw").
 * A gate in shared memory lets either the thread load or its owner stop it, never both at once.
 */
export interface LoadGate {
  /** Pass it to the thread as `workerData`. */
  readonly memory: SharedArrayBuffer;
  /** Whether the thread has loaded, so that stopping it is harmless. */
  isOpen(): boolean;
  /** Waits until the thread may be stopped; a thread that has not begun to load never will. Blocks this thread. */
  shut(): void;
}

const untouched = 0;
const loading = 1;
const loaded = 2;
const shutForEver = 3;

/** Loading takes 40 ms. A thread that takes this long hangs in the file system. */
const maxWaitMs = 5000;

/** A gate for one thread. */
export function createLoadGate(): LoadGate {
  const memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const state = new Int32Array(memory);
  return {
    memory,
    isOpen: () => Atomics.load(state, 0) === loaded,
    shut() {
      if (Atomics.compareExchange(state, 0, untouched, shutForEver) === loading)
        Atomics.wait(state, 0, loading, maxWaitMs);
    },
  };
}

/** Runs `load` in a thread with a gate, or at once where there is none. */
export function loadThroughGate<T>(load: () => T): T {
  const data: unknown = workerData;
  const memory = typeof data === 'object' && data !== null && 'wccLoadGate' in data ? data.wccLoadGate : null;
  if (!(memory instanceof SharedArrayBuffer)) return load();
  const state = new Int32Array(memory);
  // The owner stops this thread now.
  if (Atomics.compareExchange(state, 0, untouched, loading) === shutForEver)
    Atomics.wait(state, 0, shutForEver);
  try {
    return load();
  } finally {
    Atomics.store(state, 0, loaded);
    Atomics.notify(state, 0);
  }
}
