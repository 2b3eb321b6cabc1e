import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const dist: string = fileURLToPath(new URL('../../dist/', import.meta.url));

/** Runs a command on a pseudo-terminal. Lines on its standard input: `size COLUMNS ROWS`, or `signal NAME`. */
const bridge = `
import fcntl, os, pty, signal, struct, sys, termios, threading
def size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    size(0, int(sys.argv[1]), int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
def control():
    for line in sys.stdin:
        what, *rest = line.split()
        if what == 'size': size(fd, int(rest[0]), int(rest[1]))
        else: os.kill(pid, getattr(signal, rest[0]))
threading.Thread(target=control, daemon=True).start()
while True:
    try: data = os.read(fd, 65536)
    except OSError: break
    if not data: break
    os.write(1, data)
_, status = os.waitpid(pid, 0)
print('', file=sys.stderr)
print(os.waitstatus_to_exitcode(status), file=sys.stderr)
`;

/** A program on a terminal. */
export interface PtyProgram {
  /** Everything that the terminal received. */
  readonly output: string;
  resize(columns: number, rows: number): void;
  signal(name: 'SIGINT' | 'SIGTERM'): void;
  /** Resolves with the exit code; negative for a signal. */
  readonly exit: Promise<number>;
}

export interface PtyOptions {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
}

/** @param script a module; `renderTerminal` and the library's doors are imported as `terminal` and `core` */
export function runOnPty(script: string, options: PtyOptions = {}): PtyProgram {
  const { columns = 80, rows = 24, env = {} } = options;
  const code = `import * as terminal from '${dist}terminal/index.js';
import * as server from '${dist}server/index.js';
const { renderTerminal } = terminal;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
${script}`;
  const command = [process.execPath, '--input-type=module', '-e', code];
  const child: ChildProcess = spawn('python3', ['-c', bridge, String(columns), String(rows), ...command], {
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', LANG: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let end = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (end += text));
  return {
    get output() {
      return output;
    },
    resize: (newColumns, newRows) => void child.stdin!.write(`size ${newColumns} ${newRows}\n`),
    signal: (name) => void child.stdin!.write(`signal ${name}\n`),
    exit: new Promise((resolve) => {
      child.on('close', () => resolve(Number(end.trim().split('\n').at(-1))));
    }),
  };
}

/** The lines that a terminal shows after this output. It knows the sequences that the display writes. */
export function screenOf(output: string): string[] {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  // oxlint-disable-next-line no-control-regex -- escape sequences of a terminal
  for (const [token, count, code] of output.matchAll(/\u001b\[\??(\d*)([A-Za-z])|[\s\S]/g)) {
    if (code === 'A') row = Math.max(0, row - Number(count || 1));
    else if (code === 'K') lines[row]!.length = column;
    else if (code === 'J') lines.splice(row, Infinity, lines[row]!.slice(0, column));
    else if (token === '\r') column = 0;
    else if (token === '\n') {
      row += 1;
      lines[row] ??= [];
    } else if (code === undefined) {
      const line = lines[row]!;
      while (line.length < column) line.push(' ');
      line[column] = token;
      column += 1;
    }
  }
  return lines.map((line) => line.join('').trimEnd());
}
