import { closeSync, openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { StoreConflict, StoreError } from './errors.ts';
import type { SchemaUpdate, StoreCondition, StoreRequest, StoreResponse, WorkerFailure } from './messages.ts';

export type Answer = Extract<StoreResponse, { rows?: unknown[] }>;
export type RequestWithoutId = StoreRequest extends infer Request
  ? Request extends unknown
    ? Omit<Request, 'id'>
    : never
  : never;

/** One database thread, from its start to its end. */
export interface DatabaseThread {
  /** @throws StoreError `store_failed` after the end of the thread */
  send(request: RequestWithoutId): Promise<Answer>;
  /** Finishes earlier requests first. */
  close(): Promise<void>;
}

export interface ThreadOptions {
  /** Called before the update of a database of an earlier version. */
  onUpdate: (update: SchemaUpdate) => void;
  onCondition: (condition: StoreCondition) => void;
  /** Changes that were never durable, at the end of a thread on a full disk. */
  onLost: (batches: number) => void;
  /** The thread has ended without a call of `close`. Not called for a thread that could not open the database. */
  onEnd: (error: StoreError) => void;
}

/** Node 20 cannot load TypeScript in a worker, so tests use the built worker. */
export function workerUrl(name: string): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? `../../dist/storage/${name}.js` : `./${name}.js`,
    import.meta.url,
  );
}

/**
 * Starts the thread and waits until the database is open.
 * @throws StoreError `store_newer`, `store_foreign`, `store_unopenable`, `store_full`, `store_damaged`, `store_backup_failed`
 */
export async function startThread(path: string, options: ThreadOptions): Promise<DatabaseThread> {
  const worker = new Worker(workerUrl('worker'), { workerData: { path }, env: {}, execArgv: [] });
  const pending = createPendingRequests();
  let isOpen = false;
  let isClosing = false;
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      fail(new StoreError(isClosing ? 'store_closed' : 'store_failed'));
      resolve();
    });
  });
  worker.on('error', (cause) => fail(new StoreError('store_failed', { cause })));
  worker.on('message', (response: StoreResponse) => {
    if ('updating' in response) options.onUpdate(response.updating);
    else if ('condition' in response) options.onCondition(response.condition);
    else if ('lostBatches' in response) options.onLost(response.lostBatches);
    else pending.settle(response);
  });

  /** Rejects all pending requests, because the thread can no longer answer them. */
  function fail(error: StoreError): void {
    if (pending.end(error) && isOpen && !isClosing) options.onEnd(error);
  }
  try {
    await pending.waitFor(0);
  } catch (error) {
    // Its connection holds locks of the file until the thread has ended.
    await exited;
    throw error;
  }
  isOpen = true;
  return {
    async send(request) {
      const { id, answer } = pending.add();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ ...request, id });
      return answer;
    },
    async close() {
      isClosing = true;
      const isRunning = pending.end(new StoreError('store_closed'), { letFinish: true });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      if (isRunning) worker.postMessage({ kind: 'close', id: 0 } satisfies StoreRequest);
      await exited;
      leaveEmptyLog(path);
    },
  };
}

/** On a full disk, some file systems cannot create the log when the database is opened. */
function leaveEmptyLog(path: string): void {
  try {
    closeSync(openSync(`${path}-wal`, 'a', 0o600));
  } catch {
    // The directory is away or full.
  }
}

/** Requests that the thread has not answered yet. */
interface PendingRequests {
  /** Adds a request under a new id. @throws the StoreError that `end` was given */
  add(): { id: number; answer: Promise<Answer> };
  /** Resolves with the answer to the request `id`. */
  waitFor(id: number): Promise<Answer>;
  settle(response: Extract<StoreResponse, { id: number }>): void;
  /** Refuses new requests and, by default, rejects pending ones. @returns false when it was ended before */
  end(error: StoreError, options?: { letFinish: boolean }): boolean;
}

function createPendingRequests(): PendingRequests {
  const waiting = new Map<
    number,
    { resolve: (answer: Answer) => void; reject: (error: StoreError) => void }
  >();
  let lastId = 0;
  let ended: StoreError | undefined;
  const waitFor = (id: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
  return {
    waitFor,
    add() {
      if (ended) throw ended;
      lastId += 1;
      return { id: lastId, answer: waitFor(lastId) };
    },
    settle(response) {
      const caller = waiting.get(response.id);
      waiting.delete(response.id);
      if ('failure' in response) caller?.reject(toError(response.failure));
      else caller?.resolve(response);
    },
    end(error, { letFinish } = { letFinish: false }) {
      const isFirst = ended === undefined;
      ended ??= error;
      if (letFinish) return isFirst;
      for (const { reject } of waiting.values()) reject(ended);
      waiting.clear();
      return isFirst;
    },
  };
}

function toError(failure: WorkerFailure): StoreError {
  if (failure.code === 'store_conflict') return new StoreConflict(failure.message);
  return new StoreError(failure.code, failure);
}
