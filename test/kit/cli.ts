import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestServer } from './server.ts';

const binPath = fileURLToPath(new URL('../../packages/cli/bin/wcc.js', import.meta.url));

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface CliOptions {
  /** The server whose address and token the command gets. @default none */
  server?: Pick<TestServer, 'baseUrl' | 'token'>;
  env?: Record<string, string>;
  stdin?: string;
  /** Runs the command on a pseudo-terminal of util-linux's `script`; `stdout` then contains both outputs. */
  terminal?: { columns: number };
  cwd?: string;
  /** Words before the command that run it, e.g. on another host. @default none */
  launcher?: readonly string[];
}

export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The running command. */
export interface RunningCli {
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  write(text: string): void;
  kill(signal: NodeJS.Signals): void;
  readonly result: Promise<CliResult>;
}

/** Starts the built command, as a shell would. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const { server, terminal } = options;
  const command = [...(options.launcher ?? []), process.execPath, binPath, ...args];
  // `exec` replaces the shell, so a signal reaches the command itself.
  const argv =
    terminal === undefined
      ? command
      : [
          'script',
          '-qefc',
          `stty cols ${terminal.columns}; exec ${command.map(quote).join(' ')}`,
          '/dev/null',
        ];
  const child = spawn(argv[0]!, argv.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: options.cwd ?? '/',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      LANG: 'C.UTF-8',
      SHELL: '/bin/sh',
      ...(server === undefined ? {} : { WCC_URL: server.baseUrl, WCC_TOKEN: server.token }),
      ...(terminal === undefined ? {} : { TERM: 'xterm' }),
      ...options.env,
    },
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
  // A command may end before it has read all input.
  child.stdin.on('error', () => undefined);
  if (options.stdin !== undefined) child.stdin.end(options.stdin);
  else if (terminal === undefined) child.stdin.end();
  const result = once(child, 'close').then(([code, signal]): CliResult => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr };
  });
  return {
    pid: child.pid!,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    write: (text) => void child.stdin.write(text),
    kill: (signal) => void child.kill(signal),
    result,
  };
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).result;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Splits the text of a pseudo-terminal into lines. A line redrawn in place counts as a separate line. */
export function terminalLines(text: string): string[] {
  return (
    text
      .split(/\r\n|\r|\n/)
      // oxlint-disable-next-line no-control-regex -- escape sequences contain control characters
      .map((line) => line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, ''))
      .filter((line) => line !== '')
  );
}
