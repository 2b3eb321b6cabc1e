import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Snapshot } from '@wcc/progress';

const program = fileURLToPath(new URL('progress-process.mjs', import.meta.url));

/** An operation that a process runs: `total` steps of `stepMs`. */
export interface StartedOperation {
  id: string;
  owner: string;
  total: number;
  stepMs: number;
  end: 'succeed' | 'fail';
}

export interface ProcessFacts {
  connections: number;
  /** Messages that it lost on purpose. */
  messages: number;
  errors: string[];
  processes: { id: string; state: string }[];
}

/** A server process with a hub, a bridge and `serveProgress`. */
export class ProgressProcess {
  readonly child: ChildProcess;
  /** Its ports; each worker of a cluster has a line of its own. */
  readonly started: { port: number; pid: number }[] = [];
  #errors = '';

  constructor(options: { redis?: string; loss?: number; workers?: number; passesOn?: boolean }) {
    this.child = spawn(process.execPath, [program, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error('The process has no output.');
    createInterface(stdout).on('line', (line) =>
      this.started.push(JSON.parse(line) as { port: number; pid: number }),
    );
    stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
  }

  /** What it wrote to its standard error. */
  get errors(): string {
    return this.#errors;
  }

  get port(): number {
    const [first] = this.started;
    if (first === undefined) throw new Error(`The process has not started: ${this.#errors}`);
    return first.port;
  }

  /** @returns the id of the process that runs them, which is a worker in a cluster */
  async start(operations: readonly StartedOperation[]): Promise<number> {
    // A connection for each request, so that the cluster gives them to its workers in turn.
    const request = { method: 'POST', body: JSON.stringify(operations), headers: { connection: 'close' } };
    const response = await fetch(`http://127.0.0.1:${this.port}/start`, request);
    if (response.status !== 202) throw new Error(`start: ${response.status}`);
    return Number(await response.text());
  }

  snapshot(id: string): Promise<Snapshot | null> {
    return this.#get<Snapshot | null>(`snapshot/${id}`);
  }

  facts(): Promise<ProcessFacts> {
    return this.#get<ProcessFacts>('facts');
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.port}/${path}`, {
      headers: { connection: 'close' },
    });
    return (await response.json()) as T;
  }
}
