import { Command } from 'commander';
import { auditCommands } from './commands/audit.ts';
import type { LazyCommands, Wanted } from './commands/group.ts';
import { createGroup, loadCommands } from './commands/group.ts';
import { guestsCommands } from './commands/guests.ts';
import { imageCommands } from './commands/image.ts';
import { opCommands } from './commands/op.ts';
import { addServe } from './commands/serve.ts';
import { vmCommands } from './commands/vm.ts';
import type { Context } from './runtime/context.ts';
import { exitCodes } from './runtime/exit-codes.ts';

const exits = Object.values(exitCodes).map(({ code, meaning }) => `  ${String(code).padEnd(5)}${meaning}`);

const commands: LazyCommands = {
  serve: async () => addServe,
  login: async () => (await import('./commands/login.ts')).addLogin,
  logout: async () => (await import('./commands/logout.ts')).addLogout,
  image: createGroup('image', 'list, create, transfer and delete images', imageCommands),
  vm: createGroup('vm', 'list, create, control and delete machines', vmCommands),
  op: createGroup('op', 'list, watch and control operations', opCommands),
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
  audit: createGroup('audit', 'check the audit record of this host', auditCommands),
  config: async () => (await import('./commands/config.ts')).addConfig,
  guests: createGroup('guests', 'stop the machines of this host without its server', guestsCommands),
  completion: async () => (await import('./commands/completion.ts')).addCompletion,
};

/**
 * Creates the command line. It never ends the process; errors go to the caller and output to `context`.
 *
 * @param words the command line, whose command is loaded; others may be missing. @default every command
 */
export async function createProgram(
  context: Context,
  version: string,
  words?: readonly string[],
): Promise<Command> {
  const program = new Command('wcc')
    .description('manage images, machines and operations of a wcc server')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('Help: wcc --help')
    .addHelpText('after', `\nExit codes:\n${exits.join('\n')}`);
  for (const add of await loadCommands(commands, wantedBy(words))) add(program, context);
  return prepare(program, context);
}

function wantedBy(words: readonly string[] | undefined): Wanted {
  if (words === undefined || words[0] === 'completion') return 'all';
  const isHelp = words.length < 2 && ['', '-h', '--help'].includes(words[0] ?? '');
  return isHelp ? 'names' : words;
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
