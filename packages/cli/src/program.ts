import { Command } from 'commander';
import { addAuditCommands } from './commands/audit.ts';
import { addCompletion } from './commands/completion.ts';
import { addImageCommands } from './commands/image.ts';
import { addLogin } from './commands/login.ts';
import { addLogout } from './commands/logout.ts';
import { addOpCommands } from './commands/op.ts';
import { addVmCommands } from './commands/vm.ts';
import type { Context } from './runtime/context.ts';
import { exitCodes } from './runtime/exit-codes.ts';

const exits = Object.values(exitCodes).map(({ code, meaning }) => `  ${String(code).padEnd(5)}${meaning}`);

/** Creates the command line. It never ends the process; errors go to the caller and output to `context`. */
export function createProgram(context: Context, version: string): Command {
  const program = new Command('wcc')
    .description('manage images, machines and operations of a wcc server')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('Help: wcc --help')
    .addHelpText('after', `\nExit codes:\n${exits.join('\n')}`);
  // `main.ts` starts the server before parsing; this entry is for the help and the completion.
  program
    .command('serve', { isDefault: false })
    .description('run a server on this host; for its options: wcc serve --help')
    .helpOption(false)
    .allowUnknownOption();
  addLogin(program, context);
  addLogout(program, context);
  addImageCommands(program, context);
  addVmCommands(program, context);
  addOpCommands(program, context);
  addAuditCommands(program, context);
  addCompletion(program, context);
  return prepare(program, context);
}

/** Sets the output of a command and its subcommands, because existing subcommands do not inherit it. */
function prepare(command: Command, context: Context): Command {
  command
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      getOutHelpWidth: () => context.stdout.columns ?? 100,
      getErrHelpWidth: () => context.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const child of command.commands) prepare(child, context);
  return command;
}
