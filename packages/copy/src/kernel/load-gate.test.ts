import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { createLoadGate } from './load-gate.ts';

/** A thread that loads for 300 ms after the message "begin". */
const thread = `
  import { parentPort, workerData } from 'node:worker_threads';
  const { loadThroughGate } = await import(workerData.module);
  parentPort.postMessage('ready');
  parentPort.once('message', () => {
    loadThroughGate(() => {
      Atomics.store(new Int32Array(workerData.progress), 0, 1);
      Atomics.notify(new Int32Array(workerData.progress), 0);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      Atomics.store(new Int32Array(workerData.progress), 0, 2);
    });
  });`;

async function startThread(): Promise<{
  worker: Worker;
  gate: ReturnType<typeof createLoadGate>;
  progress: Int32Array;
}> {
  const gate = createLoadGate();
  const progress = new SharedArrayBuffer(4);
  const module = new URL('../../dist/kernel/load-gate.js', import.meta.url).href;
  const source = new URL(`data:text/javascript,${encodeURIComponent(thread)}`);
  const worker = new Worker(source, { workerData: { wccLoadGate: gate.memory, progress, module } });
  await once(worker, 'message');
  return { worker, gate, progress: new Int32Array(progress) };
}

describe('load gate', () => {
  it('shut waits until a thread that loads has loaded', async () => {
    const { worker, gate, progress } = await startThread();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage('begin');
    Atomics.wait(progress, 0, 0, 5000);
    expect(gate.isOpen()).toBe(false);
    gate.shut();
    expect(progress[0]).toBe(2);
    expect(gate.isOpen()).toBe(true);
    await worker.terminate();
  });

  it('a thread whose gate is shut before it loads never loads', async () => {
    const { worker, gate, progress } = await startThread();
    gate.shut();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage('begin');
    expect(Atomics.wait(progress, 0, 0, 300)).toBe('timed-out');
    expect(gate.isOpen()).toBe(false);
    await worker.terminate();
  });

  it('a process that exits while a worker loads koffi waits for it', async () => {
    const script = `
      const gates = [];
      globalThis.SharedArrayBuffer = class extends SharedArrayBuffer {
        constructor(bytes) { super(bytes); if (bytes === 4) gates.push(new Int32Array(this)); }
      };
      const [loading, loaded] = [1, 2];
      const is = (state) => gates.some((gate) => Atomics.load(gate, 0) === state);
      copy.preload().catch(() => {});
      while (!is(loading) && !is(loaded));
      if (is(loaded)) console.log('too late');
      else process.on('exit', () => console.log(is(loading) ? 'still loading' : 'loaded'));
      process.exit(0);`;
    const run = async (): Promise<string> => {
      const { stdout, stderr, code } = await startChild(script).ended;
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      return stdout;
    };
    // On a busy machine this thread may not run while the other one loads.
    let result = await run();
    for (let attempt = 1; attempt < 20 && result === 'too late\n'; attempt += 1) result = await run();
    expect(result).toBe('loaded\n');
  });
});
