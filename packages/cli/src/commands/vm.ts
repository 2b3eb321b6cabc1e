import type { AddCommand, LazyCommands } from './group.ts';
import type { OrderCommand } from './vm/power.ts';

const order = (command: OrderCommand) => async (): Promise<AddCommand> => {
  const { addVmPower } = await import('./vm/power.ts');
  return (parent, context) => addVmPower(parent, context, command);
};

/** The subcommands of `wcc vm`. */
export const vmCommands: LazyCommands = {
  ls: async () => (await import('./vm/ls.ts')).addVmLs,
  show: async () => (await import('./vm/show.ts')).addVmShow,
  create: async () => (await import('./vm/create.ts')).addVmCreate,
  'quick-create': async () => (await import('./vm/quick-create.ts')).addVmQuickCreate,
  start: order('start'),
  stop: async () => (await import('./vm/stop.ts')).addVmStop,
  reset: order('reset'),
  adopt: order('adopt'),
  'discard-saved': order('discard-saved'),
  set: async () => (await import('./vm/set.ts')).addVmSet,
  rm: async () => (await import('./vm/rm.ts')).addVmRm,
  screen: async () => (await import('./vm/screen.ts')).addVmScreen,
};
