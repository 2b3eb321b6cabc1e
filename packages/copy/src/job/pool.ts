import type { Worker } from 'node:worker_threads';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { CopyError, withCallersStack } from '../contract/errors.ts';
import { integer, orNull, readOptions } from '../contract/read-options.ts';
import type { Readers } from '../contract/read-options.ts';
import { unpackError } from '../contract/wire-error.ts';
import type { WorkerEvents, WorkerMessage, WorkerRequest, WorkerResults } from '../contract/messages.ts';
import { toCopyError } from '../kernel/errno.ts';
import { createLoadGate } from '../kernel/load-gate.ts';
import type { LoadGate } from '../kernel/load-gate.ts';
import { toPathBytes } from '../storage/paths.ts';
import type { PathLike } from '../contract/types.ts';
import { setWorkerFile, startWorker } from './start-worker.ts';
import { toWorkerFailure } from './worker-failure.ts';

/** Workers that start without a delay. Short copies on more threads gain nothing: the file system is the limit. */
const promptWorkers = Math.max(4, availableParallelism());
/**
 * Maximum requests of each class at work, so that none of them can occupy the workers of another one. Copies on slow
 * storage occupy their workers for hours, so their limit is high.
 */
const limits = { copy: 64, bulk: promptWorkers, short: promptWorkers } as const;
const maxWorkers = limits.copy + limits.bulk + limits.short;

/** A further worker starts if no queued request has found a free worker for this time. */
const growthDelayMs = 50;
/**
 * Delay before a spare worker starts. Short copies need no spare worker, and its start must not slow down the copy.
 */
const spareDelayMs = 250;
/** An idle worker ends after this time, so that a burst of copies reuses its workers and leaves none behind. */
const idleMs = 1000;

interface Task {
  request: WorkerRequest;
  onEvent: (event: WorkerEvents[keyof WorkerEvents]) => void;
  resolve: (result: WorkerResults[keyof WorkerResults]) => void;
  reject: (error: CopyError) => void;
}

/** Idle workers; the one that worked last is at the end. A worker that is still starting also counts as idle. */
const idle: { worker: Worker; sinceMs: number }[] = [];
const busy = new Map<Worker, Task>();
const queue: Task[] = [];
/** Of every worker that has not ended. */
const gates = new Map<Worker, LoadGate>();
/** Workers that are still loading. */
const starting = new Set<Worker>();
let watchesExit = false;
/** Idle workers that never end. The first copy after a quiet time then starts at once. */
let keptIdle = 1;
/** Whether a queued request has started since the last look at the queue. */
let hasQueueMoved = false;

/**
 * Runs a request on a worker thread. The worker keeps the process alive only while it works. A started worker does
 * not depend on the calling thread.
 *
 * A request occupies its worker until it ends. For many small files, put them into few requests: each copy that
 * waits longer than 50 ms for a worker may start another thread.
 */
export async function runInWorker<K extends WorkerRequest['kind']>(
  request: Extract<WorkerRequest, { kind: K }>,
  { onEvent = () => {}, signal }: RunOptions<K> = {},
): Promise<WorkerResults[K]> {
  let withdraw = (): void => {};
  const answer = new Promise<WorkerResults[keyof WorkerResults]>((resolve, reject) => {
    const task: Task = { request, onEvent: onEvent as Task['onEvent'], resolve, reject };
    withdraw = () => {
      const at = queue.indexOf(task);
      if (at >= 0) queue.splice(at, 1);
      reject(new CopyError('cancelled', signal === undefined ? {} : { signal }));
    };
    if (signal?.aborted === true) withdraw();
    else submit(task);
  });
  signal?.addEventListener('abort', withdraw, { once: true });
  try {
    return (await answer) as WorkerResults[K];
  } catch (error) {
    throw withCallersStack(error);
  } finally {
    signal?.removeEventListener('abort', withdraw);
  }
}

interface RunOptions<K extends WorkerRequest['kind']> {
  onEvent?: (event: K extends keyof WorkerEvents ? WorkerEvents[K] : never) => void;
  /** Ends the wait when it aborts. A request at work continues, so it must be short. */
  signal?: AbortSignal | undefined;
}

const preloadReaders: Readers<{ count: number; worker: URL | null }> = {
  count: integer(1024, 1),
  worker: orNull((value, name) => pathToFileURL(toPathBytes(value as PathLike, name).toString())),
};

/**
 * Starts workers before the first copy, so that it does not wait for a thread to start. They stay until the process
 * ends, and do not keep it alive.
 * @param options `count`: number of workers, at most the number of processors; default 1. `worker`: the file of
 * `@wcc/copy/worker`, if a bundler has made it a file of its own; later workers start from it; default: this package's
 * @throws CopyError `worker_missing`, `permission`, `resources`, `invalid_option`
 */
export async function preload(options?: { count?: number; worker?: URL | string }): Promise<void> {
  const { count, worker } = readOptions(options, preloadReaders);
  if (worker !== null) setWorkerFile(worker);
  keptIdle = Math.max(keptIdle, Math.min(count, availableParallelism()));
  await Promise.all(Array.from({ length: keptIdle }, () => runInWorker({ kind: 'warm' })));
}

function submit(task: Task): void {
  const worker = mayStart(task) ? takeWorker(promptWorkers) : null;
  if (worker === null) {
    queue.push(task);
    growthTimer.arm();
  } else {
    dispatch(worker, task);
  }
}

/** Work that takes as long as its files are large; all other requests are short. */
const longClasses: Partial<Record<WorkerRequest['kind'], keyof typeof limits>> = {
  copy: 'copy',
  digest: 'bulk',
  tree: 'bulk',
};
const classOf = ({ request }: Task): keyof typeof limits => longClasses[request.kind] ?? 'short';

function mayStart(task: Task): boolean {
  const own = classOf(task);
  return [...busy.values()].filter((other) => classOf(other) === own).length < limits[own];
}

/** An idle worker, or a new one while fewer than `limit` exist; null: the request has to wait. */
function takeWorker(limit: number): Worker | null {
  const free = idle.pop();
  if (free !== undefined) return free.worker;
  return busy.size < limit ? createWorker() : null;
}

function dispatch(worker: Worker, task: Task): void {
  busy.set(worker, task);
  worker.ref();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(task.request);
  if (task.request.kind === 'copy' && idle.length === 0) spareTimer.arm();
}

function createWorker(): Worker {
  const gate = createLoadGate();
  const worker = startWorker(gate.memory);
  watchExit();
  gates.set(worker, gate);
  starting.add(worker);
  worker.on('message', (message: WorkerMessage) => onMessage(worker, message));
  worker.on('error', (error) => onWorkerExit(worker, error));
  worker.on('exit', (code) => onWorkerExit(worker, new Error(`worker exited with code ${code}`)));
  return worker;
}

/** Node stops all threads when the process ends; see {@link LoadGate}. */
function watchExit(): void {
  if (watchesExit) return;
  watchesExit = true;
  process.on('exit', () => {
    for (const gate of gates.values()) gate.shut();
  });
}

function onMessage(worker: Worker, message: WorkerMessage): void {
  if (message.kind === 'ready') {
    starting.delete(worker);
    return;
  }
  const task = busy.get(worker);
  if (task === undefined) return;
  if (message.kind === 'event') {
    task.onEvent(message.event);
    return;
  }
  busy.delete(worker);
  release(worker);
  if (message.kind === 'result') task.resolve(message.result);
  else task.reject(unpackError(message.error));
}

function release(worker: Worker): void {
  const next = takeQueued();
  if (next !== null) {
    dispatch(worker, next);
    return;
  }
  worker.unref();
  idle.push({ worker, sinceMs: performance.now() });
  idleTimer.arm();
}

function isContinued({ request }: Task): boolean {
  return request.kind === 'inspect' && request.from !== null;
}

function takeQueued(): Task | null {
  // A long inspection continues when no other request waits.
  const fresh = queue.findIndex((task) => mayStart(task) && !isContinued(task));
  const at = fresh < 0 ? queue.findIndex(mayStart) : fresh;
  const [task] = at < 0 ? [] : queue.splice(at, 1);
  if (task === undefined) return null;
  hasQueueMoved = true;
  return task;
}

/** A worker that fails emits `error` and then `exit`. */
const ended = new WeakSet<Worker>();

/** Fails the task of a dead worker, and starts the next queued task. */
function onWorkerExit(worker: Worker, cause: Error): void {
  if (ended.has(worker)) return;
  ended.add(worker);
  const at = idle.findIndex((entry) => entry.worker === worker);
  if (at >= 0) idle.splice(at, 1);
  gates.delete(worker);
  starting.delete(worker);
  const task = busy.get(worker);
  busy.delete(worker);
  task?.reject(toWorkerFailure(cause));
  startQueued(promptWorkers);
}

function startQueued(limit: number): void {
  if (!queue.some(mayStart)) return;
  try {
    const worker = takeWorker(limit);
    const task = worker === null ? null : takeQueued();
    if (worker !== null && task !== null) dispatch(worker, task);
  } catch (error) {
    // Without a further thread, queued requests wait for those at work. If there are none, they would wait for ever.
    if (busy.size === 0) for (const task of queue.splice(0)) task.reject(toCopyError(error));
  }
}

/** A timer that runs once, and keeps the process alive at no time. */
function createTimer(delayMs: number, run: () => void): { arm(): void } {
  let timer: NodeJS.Timeout | null = null;
  const fire = (): void => {
    timer = null;
    run();
  };
  return {
    arm() {
      timer ??= setTimeout(fire, delayMs).unref();
    },
  };
}

/** Starts a further worker when the queue stands still, for example because all storage is slow. */
const growthTimer = createTimer(growthDelayMs, () => {
  if (queue.length === 0) return;
  // On a busy machine a thread loads for seconds. Further threads would only delay it.
  if (!hasQueueMoved && starting.size === 0) startQueued(maxWorkers);
  hasQueueMoved = false;
  if (queue.length > 0) growthTimer.arm();
});

/** Keeps one idle worker while copies run, so that the next clone does not wait for the start of a thread. */
const spareTimer = createTimer(spareDelayMs, () => {
  if (idle.length > 0 || queue.length > 0 || busy.size === 0 || busy.size >= maxWorkers) return;
  try {
    const worker = createWorker();
    worker.unref();
    idle.push({ worker, sinceMs: performance.now() });
    idleTimer.arm();
  } catch {
    // The next copy reports why no thread can start.
  }
});

const idleTimer = createTimer(idleMs, () => {
  const now = performance.now();
  // The worker that has been idle longest is the first.
  for (const { worker, sinceMs } of idle.slice(0, Math.max(0, idle.length - keptIdle))) {
    if (now - sinceMs < idleMs || gates.get(worker)?.isOpen() !== true) continue;
    idle.splice(
      idle.findIndex((entry) => entry.worker === worker),
      1,
    );
    void worker.terminate();
  }
  if (idle.length > keptIdle) idleTimer.arm();
});
