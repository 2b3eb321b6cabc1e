import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { runServer } from './commands/serve.ts';
import type { Context } from './runtime/context.ts';
import { CliError, toCliError } from './runtime/errors.ts';
import { exitCodes } from './runtime/exit-codes.ts';
import { errorLine } from './output/json.ts';
import { escapeTerminal } from '@wcc/progress/terminal';
import { createProgram } from './program.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const argv = process.argv.slice(2);
try {
  if (argv[0] === 'serve') {
    process.argv.splice(2, 1);
    await runServer();
  } else await run();
} catch (error) {
  reportError(error);
}

async function run(): Promise<void> {
  const { env, stdin, stdout, stderr } = process;
  endOnLostOutput(process);
  const context: Context = {
    env,
    stdin,
    stdout,
    stderr,
    interrupt: interruptOf(process),
  };
  await createProgram(context, version).parseAsync(argv, { from: 'user' });
}

/** A reader that has enough, such as `head`, is no failure. Output that is lost otherwise is one. */
function endOnLostOutput({ stdout, stderr }: NodeJS.Process): void {
  stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(exitCodes.ok.code);
    stderr.write(`wcc: Cannot write the output: ${message}\n`);
    process.exit(exitCodes.local_file.code);
  });
  // Nowhere is left to report it.
  stderr.on('error', () => {});
}

/** The first signal aborts the command, the second one ends the process at once. */
function interruptOf(source: NodeJS.Process): AbortSignal {
  const controller = new AbortController();
  const on = (signal: NodeJS.Signals, exit: 'interrupted' | 'terminated'): void => {
    source.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCodes[exit].code);
      controller.abort(new CliError(exit, 'Interrupted.'));
    });
  };
  on('SIGINT', 'interrupted');
  on('SIGTERM', 'terminated');
  on('SIGHUP', 'terminated');
  return controller.signal;
}

/** Writes the error and sets the exit code. */
function reportError(error: unknown): void {
  if (error instanceof CommanderError) {
    // Commander has written the message. Help and version succeed; all other errors mean a wrong command line.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
    return;
  }
  const known = toCliError(error);
  process.exitCode = exitCodes[known.exit].code;
  // After `--` every word is a name, not an option.
  const options = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
  if (options.includes('--json')) process.stderr.write(errorLine(known));
  else
    process.stderr.write(
      `wcc: ${escapeTerminal(known.message)}\n${known.hint === '' ? '' : `${escapeTerminal(known.hint)}\n`}`,
    );
}
