import { parentPort } from 'node:worker_threads';
import { canCloneSync } from '../clone/can-clone-sync.ts';
import { digestSync } from '../digest/digest-sync.ts';
import { inspectSync } from '../inspect/inspect-sync.ts';
import { packError } from '../contract/wire-error.ts';
import type { WorkerMessage, WorkerRequest, WorkerResults } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { loadThroughGate } from '../kernel/load-gate.ts';
import { publishSync } from '../publish/publish-sync.ts';
import { runTreeStep } from '../tree/run-step.ts';
import { runCopy } from './phases.ts';

type Answer = WorkerResults[keyof WorkerResults];

/** Handles one request at a time with synchronous calls, which is why it runs on its own thread. */
function answer(request: WorkerRequest, post: (message: WorkerMessage) => void): Answer {
  if (request.kind === 'copy') return runCopy(request, (event) => post({ kind: 'event', event }));
  if (request.kind === 'tree') return runTreeStep(request, (file) => void runCopy(file, () => {}));
  if (request.kind === 'inspect') return inspectSync(request);
  if (request.kind === 'digest') return digestSync(request);
  if (request.kind === 'canClone') return canCloneSync(request);
  if (request.kind === 'publish') return publishSync(request);
  return loadKernel() !== null; // 'warm'
}

const port = parentPort;
if (port === null) throw new Error('this file must run as a worker thread');
loadThroughGate(loadKernel); // now, because a spare worker has the time for it
const post = (message: WorkerMessage): void => port.postMessage(message);
post({ kind: 'ready' });
port.on('message', (request: WorkerRequest) => {
  try {
    post({ kind: 'result', result: answer(request, post) });
  } catch (error) {
    post({ kind: 'error', error: packError(toCopyError(error)) });
  }
});
