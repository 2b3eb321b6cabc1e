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
  /** Whose token and address the command gets; none: it has to find its own. */
  server?: Pick<TestServer, 'baseUrl' | 'token'>;
  env?: Record<string, string>;
  stdin?: string;
  /** On a pseudo-terminal of util-linux's `script`: both outputs are one, in `stdout`. */
  terminal?: { columns: number };
  cwd?: string;
}

export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The command as a child process. */
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
  const command = [process.execPath, binPath, ...args];
  // `exec`: a signal for the terminal's child reaches the command, not a shell before it.
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
  // A command that ends before it has read everything is not this test's failure.
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

/** A pseudo-terminal's text as lines: what was redrawn in place counts as lines of its own. */
export function terminalLines(text: string): string[] {
  return (
    text
      .split(/\r\n|\r|\n/)
      // oxlint-disable-next-line no-control-regex -- what a terminal obeys is no text
      .map((line) => line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, ''))
      .filter((line) => line !== '')
  );
}
