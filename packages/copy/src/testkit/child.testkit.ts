import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

export interface ChildResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Child {
  process: ChildProcess;
  /** Resolves at the first output on stdout. */
  firstOutput: Promise<void>;
  ended: Promise<ChildResult>;
}

/**
 * Runs a module in a separate Node process, with this package imported as `copy`.
 * @param prefix a command to run it under, e.g. strace with its arguments
 */
export function startChild(
  script: string,
  prefix: readonly string[] = [],
  flags: readonly string[] = [],
): Child {
  const source = `import * as copy from '@wcc/copy';\n${script}`;
  const [command, ...args] = [
    ...prefix,
    process.execPath,
    ...flags,
    '--input-type=module',
    '--eval',
    source,
  ] as const;
  const child = spawn(command ?? process.execPath, args, {
    cwd: packageRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  const firstOutput = new Promise<void>((resolve) => {
    child.stdout.once('data', () => resolve());
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<ChildResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { process: child, firstOutput, ended };
}

export interface ReportedError {
  code: string;
  offset: number | null;
  resumable: boolean;
  message: string;
}

/** Copies in a child process and returns whether it succeeded, or its error. */
export async function copyInChild(
  job: { source: string; destination: string; options?: object },
  prefix: readonly string[] = [],
): Promise<{ ok: boolean; error: ReportedError | null; child: ChildResult }> {
  const values = JSON.stringify([job.source, job.destination, job.options ?? {}]);
  const script = `
    const job = copy.startCopy(...${values});
    const end = await job.done.then(() => ({ ok: true, error: null }), (error) => ({ ok: false, error: {
      code: error.code, offset: error.offset, resumable: error.resumable, message: error.message } }));
    console.log(JSON.stringify(end));`;
  const child = await startChild(script, prefix).ended;
  const line = child.stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{'))
    throw new Error(`child ended with ${child.code ?? child.signal}: ${child.stderr}`);
  const end = JSON.parse(line) as { ok: boolean; error: ReportedError | null };
  return { ...end, child };
}

/** Starts a copy in a child process, and kills the process after a time. */
export async function killInMidCopy(
  { source, target, options }: { source: string; target: string; options: object },
  afterMs: number,
): Promise<void> {
  const child = startChild(`
    await copy.preload();
    const job = copy.startCopy(${JSON.stringify(source)}, ${JSON.stringify(target)}, ${JSON.stringify(options)});
    console.log('started');
    await job.done;
    setInterval(() => {}, 1000);`);
  await child.firstOutput;
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.process.kill('SIGKILL');
  const { signal, stderr } = await child.ended;
  if (signal !== 'SIGKILL') throw new Error(`child ended with ${signal}: ${stderr}`);
}
