import { Worker } from 'node:worker_threads';
import { createThread } from '#thread';
import { toWorkerFailure } from './worker-failure.ts';

/** The file of the worker that the program has set; null: the one of this package. */
let file: URL | null = null;

/** Sets the file from which further workers start. */
export function setWorkerFile(url: URL): void {
  file = url;
}

/**
 * @param gate memory of a load gate: `createLoadGate`
 * @throws CopyError if Node refuses to start a thread
 */
export function startWorker(gate: SharedArrayBuffer): Worker {
  const options = { execArgv: [], name: 'wcc-copy', workerData: { wccLoadGate: gate } };
  try {
    return file === null ? createThread(options) : new Worker(file, options);
  } catch (error) {
    throw toWorkerFailure(error);
  }
}
