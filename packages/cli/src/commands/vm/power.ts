import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { document } from '../../output/json.ts';
import { vmStateOf } from '../../output/machines.ts';
import { harmless } from '../../output/terminal.ts';
import { findOwnVm } from '../../server/find-vm.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { withServer } from '../options.ts';

const told = {
  start: 'start a machine that is off, or let a paused one go on',
  reset: 'press the reset button of a machine',
};

/** An order that the machine obeys at once. */
export function addVmOrder(parent: Command, context: Context, verb: keyof typeof told): void {
  withServer(parent.command(`${verb} <machine>`).description(told[verb])).action(
    async (name: string, options: ServerOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findOwnVm(server, name);
      const machine = await server.api.orderVm(id, verb);
      const words = `${harmless(machine.name)}: ${vmStateOf(machine)}\n`;
      context.stdout.write(options.json === true ? document(machine) : words);
    },
  );
}
