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
type Question = StoreRequest extends infer Request
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
  const questions = createQuestions();
  let isOpen = false;
  let closing: Promise<void> | undefined;
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      fail(new StoreError(closing ? 'store_closed' : 'store_failed'));
      resolve();
    });
  });
  worker.on('error', (cause) => fail(new StoreError('store_failed', { cause })));
  worker.on('message', (response: StoreResponse) => questions.answer(response));

  /** Pending requests to the thread; they fail when the thread ends. */
  function fail(error: StoreError): void {
    if (questions.end(error) && isOpen && error.code !== 'store_closed') onError(error, { stage: 'storage' });
  }
  function ask(question: Question): Promise<Answer> {
    const { id, answer } = questions.ask();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage({ ...question, id });
    return answer;
  }
  const stop = async (): Promise<void> => {
    const isRunning = questions.end(new StoreError('store_closed'), { butLetFinish: true });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    if (isRunning) worker.postMessage({ kind: 'close', id: 0 } satisfies StoreRequest);
    await exited;
  };
  await questions.expect(0);
  isOpen = true;
  return {
    read: async (sql, parameters) => (await ask({ kind: 'read', sql, parameters })).rows ?? [],
    write: async (batch) => (await ask({ kind: 'write', batch })).results ?? [],
    close: () => (closing ??= stop()),
  };
}

interface Questions {
  /** @throws StoreError that ended it */
  ask(): { id: number; answer: Promise<Answer> };
  expect(id: number): Promise<Answer>;
  answer(response: StoreResponse): void;
  /** Refuses new requests and, by default, rejects pending ones. @returns false when it was ended before */
  end(error: StoreError, options?: { butLetFinish: boolean }): boolean;
}

function createQuestions(): Questions {
  const waiting = new Map<
    number,
    { resolve: (answer: Answer) => void; reject: (error: StoreError) => void }
  >();
  let lastId = 0;
  let ended: StoreError | undefined;
  const expect = (id: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
  return {
    expect,
    ask() {
      if (ended) throw ended;
      lastId += 1;
      return { id: lastId, answer: expect(lastId) };
    },
    answer(response) {
      const asker = waiting.get(response.id);
      waiting.delete(response.id);
      if ('failure' in response) asker?.reject(toError(response.failure));
      else asker?.resolve(response);
    },
    end(error, { butLetFinish } = { butLetFinish: false }) {
      const isFirst = ended === undefined;
      ended ??= error;
      if (butLetFinish) return isFirst;
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
