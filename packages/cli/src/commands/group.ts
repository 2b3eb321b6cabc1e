import type { Command } from 'commander';
import type { Context } from '../runtime/context.ts';

/** Adds a command to its parent. */
export type AddCommand = (parent: Command, context: Context) => void;

/**
 * What to load: the commands that these words of the command line name, all commands, or only those of a list with
 * names and descriptions.
 */
export type Wanted = readonly string[] | 'all' | 'names';

/** Commands by their names, in the order of the help. The module of a command is loaded only when it is wanted. */
export type LazyCommands = Readonly<Record<string, (wanted: Wanted) => Promise<AddCommand>>>;

/** Loads the command that the first word names; all commands if it names none, for help and error messages. */
export async function loadCommands(commands: LazyCommands, wanted: Wanted): Promise<AddCommand[]> {
  if (typeof wanted === 'string') return Promise.all(Object.values(commands).map((load) => load(wanted)));
  const [word = '', ...rest] = wanted;
  const load = Object.hasOwn(commands, word) ? commands[word] : undefined;
  return load === undefined ? loadCommands(commands, 'all') : [await load(rest)];
}

/** A command that only has subcommands. */
export function createGroup(
  name: string,
  description: string,
  commands: LazyCommands,
): (wanted: Wanted) => Promise<AddCommand> {
  return async (wanted) => {
    const adds = wanted === 'names' ? [] : await loadCommands(commands, wanted);
    return (parent, context) => {
      const group = parent.command(name).description(description);
      for (const add of adds) add(group, context);
    };
  };
}
