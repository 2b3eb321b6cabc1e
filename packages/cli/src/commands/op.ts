import type { Command } from 'commander';
import type { Context } from '../runtime/context.ts';
import { addOpLog } from './op/log.ts';
import { addOpLs } from './op/ls.ts';
import { addOpRetry } from './op/retry.ts';
import { addOpShow } from './op/show.ts';
import { addOpVerb } from './op/verb.ts';
import { addOpWatch } from './op/watch.ts';

/** Adds `wcc op` with its subcommands. */
export function addOpCommands(program: Command, context: Context): void {
  const op = program.command('op').description('list, watch and control operations');
  for (const add of [addOpLs, addOpShow, addOpWatch]) add(op, context);
  for (const verb of ['cancel', 'pause', 'resume'] as const) addOpVerb(op, context, verb);
  for (const add of [addOpRetry, addOpLog]) add(op, context);
}
