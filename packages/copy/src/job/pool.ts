import { Worker } from 'node:worker_threads';
import { CopyError } from '../contract/errors.ts';
import { unpackError } from '../contract/messages.ts';
import type { WorkerMessage, WorkerRequest, WorkerResults } from '../contract/messages.ts';
import type { CopyPhaseEvent } from '../contract/types.ts';

/** Maximum idle workers. Starting one takes 40 ms, longer than a whole copy by shared blocks. */
const maxIdle = 2;
/** Maximum workers; further copies are queued. A paused copy occupies its worker, so the limit is high. */
const maxWorkers = 64;

/**
 * Delay before a spare worker starts. Short copies need no spare worker, and its start must not slow down the copy.
 */
const spareDelayMs = 250;

interface Task {
  request: WorkerRequest;
  onPhase: (event: CopyPhaseEvent) => void;
  settle: (
    outcome: { ok: true; value: WorkerResults[keyof WorkerResults] } | { ok: false; error: CopyError },
  ) => void;
}

const idle: Worker[] = [];
const tasks = new Map<Worker, Task>();
const queue: Task[] = [];

/**
 * Runs a request on a worker thread. The worker keeps the process alive only while it works. A started worker does
 * not depend on the calling thread.
 */
export function runInWorker<K extends WorkerRequest['kind']>(
  request: Extract<WorkerRequest, { kind: K }>,
  onPhase: (event: CopyPhaseEvent) => void = () => {},
): Promise<WorkerResults[K]> {
  return new Promise((resolve, reject) => {
    const settle: Task['settle'] = (outcome) => {
      if (outcome.ok) resolve(outcome.value as WorkerResults[K]);
      else reject(outcome.error);
    };
    assign({ request, onPhase, settle });
  });
}

/**
 * Starts workers before the first copy, so that it does not wait for a thread to start.
 * @param count number of workers, at most 2; default 1
 */
export async function warmUp(count = 1): Promise<void> {
  const missing = Math.min(count, maxIdle) - idle.length;
  await Promise.all(Array.from({ length: Math.max(0, missing) }, () => runInWorker({ kind: 'warm' })));
}

function assign(task: Task): void {
  // Only copies are queued: an inspection must not wait until a paused copy is resumed.
  if (task.request.kind === 'copy' && idle.length === 0 && tasks.size >= maxWorkers) {
    queue.push(task);
    return;
  }
  const worker = idle.pop() ?? spawn();
  worker.ref();
  dispatch(worker, task);
  if (task.request.kind === 'copy' && idle.length === 0) setTimeout(keepSpare, spareDelayMs).unref();
}

/** Keeps one idle worker while copies run, so that the next clone does not wait for the start of a thread. */
function keepSpare(): void {
  if (idle.length > 0 || tasks.size === 0 || tasks.size >= maxWorkers) return;
  const worker = spawn();
  // The first answer of a worker shows that its modules are loaded.
  dispatch(worker, { request: { kind: 'warm' }, onPhase: () => {}, settle: () => {} });
  worker.unref();
}

function dispatch(worker: Worker, task: Task): void {
  tasks.set(worker, task);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(task.request);
}

function spawn(): Worker {
  // The built entry ends in .js. Run from the sources (Node ≥ 22.18), it is a .ts file.
  const entry = new URL(`../worker/entry${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
  const worker = new Worker(entry, { execArgv: [], name: 'wcc-copy' });
  worker.on('message', (message: WorkerMessage) => onMessage(worker, message));
  worker.on('error', (error) => onWorkerExit(worker, error));
  worker.on('exit', (code) => onWorkerExit(worker, new Error(`worker exited with code ${code}`)));
  return worker;
}

function onMessage(worker: Worker, message: WorkerMessage): void {
  const task = tasks.get(worker);
  if (task === undefined) return;
  if (message.kind === 'phase') {
    task.onPhase(message.event);
    return;
  }
  tasks.delete(worker);
  release(worker);
  if (message.kind === 'result') task.settle({ ok: true, value: message.result });
  else task.settle({ ok: false, error: unpackError(message.error) });
}

function release(worker: Worker): void {
  const next = queue.shift();
  if (next !== undefined) {
    dispatch(worker, next);
    return;
  }
  worker.unref();
  if (idle.length < maxIdle) idle.push(worker);
  else void worker.terminate();
}

/** Fails the task of a dead worker with `worker_failed`, and starts the next queued task. */
function onWorkerExit(worker: Worker, cause: Error): void {
  const at = idle.indexOf(worker);
  if (at >= 0) idle.splice(at, 1);
  const task = tasks.get(worker);
  tasks.delete(worker);
  task?.settle({ ok: false, error: new CopyError('worker_failed', { cause }) });
  const next = queue.shift();
  if (next !== undefined) assign(next);
}
