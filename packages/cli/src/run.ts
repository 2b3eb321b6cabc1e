import { CommanderError } from 'commander';
import { escapeTerminal } from '@wcc/progress/terminal';
import type { Context } from './runtime/context.ts';
import { CliError, toCliError } from './runtime/errors.ts';
import { exitCodes } from './runtime/exit-codes.ts';
import { endOnLostOutput } from './runtime/lost-output.ts';
import { errorLine } from './output/json.ts';
import { createProgram } from './program.ts';

/** Runs the command that the words of the command line name. */
export async function runCommand(
  source: NodeJS.Process,
  { argv, version }: { argv: readonly string[]; version: string },
): Promise<void> {
  const { env, stdin, stdout, stderr } = source;
  endOnLostOutput(source);
  const context: Context = { env, stdin, stdout, stderr, interrupt: interruptOf(source) };
  const program = await createProgram(context, version, argv);
  await program.parseAsync(argv, { from: 'user' });
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
export function reportError(error: unknown, argv: readonly string[]): void {
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
