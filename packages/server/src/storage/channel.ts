import { Worker } from 'node:worker_threads';
import type { OnError } from '@wcc/progress/server';
import { StoreConflict, StoreError } from './errors.ts';
import type {
  BatchStatement,
  SqlValue,
  StoreRequest,
  StoreResponse,
  WorkerFailure,
  WriteResult,
} from './messages.ts';

/** The connection to the database thread. */
export interface Channel {
  read(sql: string, parameters: readonly SqlValue[]): Promise<unknown[]>;
  write(batch: readonly BatchStatement[]): Promise<WriteResult[]>;
  /** Finishes earlier requests first. Idempotent. */
  close(): Promise<void>;
}

type Answer = Extract<StoreResponse, { rows?: unknown[] }>;
type RequestWithoutId = StoreRequest extends infer Request
  ? Request extends unknown
    ? Omit<Request, 'id'>
    : never
  : never;

/** Node 20 cannot load TypeScript in a worker, so tests use the built worker. */
const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/storage/worker.js' : './worker.js',
  import.meta.url,
);

/**
 * Starts the thread and waits until the database is open.
 * @throws StoreError `store_newer`, `store_foreign`, `store_unopenable`
 */
export async function openChannel(path: string, { onError }: { onError: OnError }): Promise<Channel> {
  const worker = new Worker(workerUrl, { workerData: { path }, env: {}, execArgv: [] });
  const pending = createPendingRequests();
  let isOpen = false;
  let closing: Promise<void> | undefined;
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      fail(new StoreError(closing ? 'store_closed' : 'store_failed'));
      resolve();
    });
  });
  worker.on('error', (cause) => fail(new StoreError('store_failed', { cause })));
  worker.on('message', (response: StoreResponse) => pending.settle(response));

  /** Rejects all pending requests, because the thread can no longer answer them. */
  function fail(error: StoreError): void {
    if (pending.end(error) && isOpen && error.code !== 'store_closed') onError(error, { stage: 'storage' });
  }
  function send(request: RequestWithoutId): Promise<Answer> {
    const { id, answer } = pending.add();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage({ ...request, id });
    return answer;
  }
  const stop = async (): Promise<void> => {
    const isRunning = pending.end(new StoreError('store_closed'), { letFinish: true });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    if (isRunning) worker.postMessage({ kind: 'close', id: 0 } satisfies StoreRequest);
    await exited;
  };
  await pending.waitFor(0);
  isOpen = true;
  return {
    read: async (sql, parameters) => (await send({ kind: 'read', sql, parameters })).rows ?? [],
    write: async (batch) => (await send({ kind: 'write', batch })).results ?? [],
    close: () => (closing ??= stop()),
  };
}

/** Requests that the thread has not answered yet. */
interface PendingRequests {
  /** Adds a request under a new id. @throws the StoreError that `end` was given */
  add(): { id: number; answer: Promise<Answer> };
  /** Resolves with the answer to the request `id`. */
  waitFor(id: number): Promise<Answer>;
  settle(response: StoreResponse): void;
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
