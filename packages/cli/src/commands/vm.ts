import type { Command } from 'commander';
import type { Context } from '../runtime/context.ts';
import { addVmCreate } from './vm/create.ts';
import { addVmLs } from './vm/ls.ts';
import { addVmOrder } from './vm/power.ts';
import { addVmQuickCreate } from './vm/quick-create.ts';
import { addVmRm } from './vm/rm.ts';
import { addVmScreen } from './vm/screen.ts';
import { addVmShow } from './vm/show.ts';
import { addVmStop } from './vm/stop.ts';

export function addVmCommands(program: Command, context: Context): void {
  const vm = program.command('vm').description('look at machines, and make, start, stop and remove them');
  for (const add of [addVmLs, addVmShow, addVmCreate, addVmQuickCreate]) add(vm, context);
  addVmOrder(vm, context, 'start');
  addVmStop(vm, context);
  addVmOrder(vm, context, 'reset');
  addVmRm(vm, context);
  addVmScreen(vm, context);
}
