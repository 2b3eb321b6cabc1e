import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from 'node:worker_threads';
import { CopyError } from '../contract/errors.ts';

/**
 * Starts a thread from the file of the worker. Bundlers get `standalone/thread.js` instead, which contains the worker
 * as text: see `imports` in package.json. One that ignores that condition may follow this literal URL.
 */
export function createThread(options: WorkerOptions): Worker {
  const here: string | undefined = import.meta.url; // undefined in a bundle of CommonJS
  if (here === undefined) throw new CopyError('worker_missing');
  // Run from the sources (Node ≥ 22.18), the worker is a .ts file too.
  if (here.endsWith('/job/thread.ts'))
    return new Worker(new URL(here.replace(/job\/thread\.ts$/, 'worker/entry.ts')), options);
  return new Worker(new URL('../worker/entry.js', import.meta.url), options);
}
