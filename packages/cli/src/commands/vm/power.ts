import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { jsonDocument } from '../../output/json.ts';
import { vmStateText } from '../../output/machines.ts';
import { escapeTerminal } from '@wcc/progress/terminal';
import { findOwnVm } from '../../server/find-vm.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

const orders = {
  start: { verb: 'start', description: 'start a machine, or resume, wake or restore it' },
  reset: { verb: 'reset', description: 'press the reset button of a machine' },
  adopt: { verb: 'adopt', description: 'record what another program changed in the hypervisor' },
  'discard-saved': {
    verb: 'discard-saved-state',
    description: 'discard the saved memory of a machine; its unsaved data is lost',
  },
} as const;
export type OrderCommand = keyof typeof orders;

/** Adds a command for an order that takes effect at once. */
export function addVmPower(parent: Command, context: Context, command: OrderCommand): void {
  const { verb, description } = orders[command];
  addServerOptions(parent.command(`${command} <machine>`).description(description)).action(
    async (name: string, options: ServerOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findOwnVm(server, name);
      const machine = await server.api.orderVm(id, verb);
      const text = `${escapeTerminal(machine.name)}: ${vmStateText(machine)}\n`;
      context.stdout.write(options.json === true ? jsonDocument(machine) : text);
    },
  );
}
