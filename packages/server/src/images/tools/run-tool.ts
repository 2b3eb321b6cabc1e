import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { spawnTool, type ToolOrder } from './spawn-tool.ts';

export interface ToolRun {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  isTimedOut: boolean;
}

export interface RunOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Whatever a program says beyond this is thrown away: `check` prints a line per leaked cluster. */
const outputBytes = 262_144;

/** Runs a program to its end. @throws ApiError `tool_missing`; the reason of `signal` when that aborts it */
export async function runTool(order: ToolOrder, { timeoutMs, signal }: RunOptions): Promise<ToolRun> {
  signal?.throwIfAborted();
  const child = await spawnTool(order);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  let isTimedOut = false;
  const kill = (): void => void child.kill('SIGKILL');
  const timer = setTimeout(() => {
    isTimedOut = true;
    kill();
  }, timeoutMs);
  signal?.addEventListener('abort', kill);
  try {
    if (signal?.aborted === true) kill();
    const { code, by } = await closeOf(child);
    signal?.throwIfAborted();
    return { code, signal: by, stdout: stdout(), stderr: stderr(), isTimedOut };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
  }
}

/** The end of a child whose output was read to its end. */
function closeOf(child: ChildProcess): Promise<{ code: number | null; by: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => resolve({ code, by }));
  });
}

/** Goes on reading when it has enough, or the program would wait for ever. @returns what was kept */
export function collect(stream: Readable | null): () => string {
  const parts: Buffer[] = [];
  let length = 0;
  stream?.on('data', (part: Buffer) => {
    if (length >= outputBytes) return;
    parts.push(part.subarray(0, outputBytes - length));
    length += part.length;
  });
  return () => Buffer.concat(parts).toString('utf8');
}
