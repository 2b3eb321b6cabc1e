import type { Command } from 'commander';
import type { Context } from '../runtime/context.ts';
import { addVmCreate } from './vm/create.ts';
import { addVmLs } from './vm/ls.ts';
import { addVmPower } from './vm/power.ts';
import { addVmQuickCreate } from './vm/quick-create.ts';
import { addVmRm } from './vm/rm.ts';
import { addVmScreen } from './vm/screen.ts';
import { addVmShow } from './vm/show.ts';
import { addVmStop } from './vm/stop.ts';

/** Adds `wcc vm` with its subcommands. */
export function addVmCommands(program: Command, context: Context): void {
  const vm = program.command('vm').description('list, create, control and delete machines');
  for (const add of [addVmLs, addVmShow, addVmCreate, addVmQuickCreate]) add(vm, context);
  addVmPower(vm, context, 'start');
  addVmStop(vm, context);
  addVmPower(vm, context, 'reset');
  addVmPower(vm, context, 'adopt');
  addVmPower(vm, context, 'discard-saved');
  addVmRm(vm, context);
  addVmScreen(vm, context);
}
