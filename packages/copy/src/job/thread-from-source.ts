import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from 'node:worker_threads';
import { moduleBases } from '../kernel/module-bases.ts';

/** Starts a thread from the text of the worker. The text has no place of its own from which to find koffi. */
export function createThreadFromSource(source: string, options: WorkerOptions): Worker {
  const workerData: object = { ...(options.workerData as object), wccModuleBases: moduleBases() };
  return new Worker(source, { ...options, eval: true, workerData });
}
