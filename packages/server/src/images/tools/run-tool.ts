import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { spawnTool } from './spawn-tool.ts';
import type { ToolCommand } from './spawn-tool.ts';

export interface ToolRun {
  /** Null if a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  isTimedOut: boolean;
}

export interface RunOptions {
  /** @default 30000 */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
  /** Output beyond this is discarded. @default {@link defaultOutputBytes} */
  outputBytes?: number;
}

const defaultTimeoutMs = 30_000;
/** `qemu-img check` prints a line per leaked cluster. */
export const defaultOutputBytes: number = 262_144;

/**
 * Runs a program to its end and returns its exit code, also for a failure.
 * @throws ApiError `tool_missing`; the reason of `signal`; the error of the system if it cannot be started
 */
export async function runTool(command: ToolCommand, options: RunOptions = {}): Promise<ToolRun> {
  const { timeoutMs = defaultTimeoutMs, signal, outputBytes } = options;
  signal?.throwIfAborted();
  const child = spawnTool(command);
  const [stdout, stderr] = [collect(child.stdout, outputBytes), collect(child.stderr, outputBytes)];
  let isTimedOut = false;
  const kill = (): void => {
    child.kill('SIGKILL');
    // A daemon that the program started may keep them open for ever.
    for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  };
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

/** The end of a child, after all its output. */
export function closeOf(child: ChildProcess): Promise<{ code: number | null; by: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => resolve({ code, by }));
  });
}

/** Reads all output, because the program would block otherwise. @returns the part that is kept */
export function collect(stream: Readable | null, outputBytes: number = defaultOutputBytes): () => string {
  const parts: Buffer[] = [];
  let length = 0;
  stream?.on('data', (part: Buffer) => {
    if (length >= outputBytes) return;
    parts.push(part.subarray(0, outputBytes - length));
    length += part.length;
  });
  return () => Buffer.concat(parts).toString('utf8');
}
