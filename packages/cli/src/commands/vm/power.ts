import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { jsonDocument } from '../../output/json.ts';
import { vmStateText } from '../../output/machines.ts';
import { escapeTerminal } from '@wcc/progress/terminal';
import { findOwnVm } from '../../server/find-vm.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

const descriptions = {
  start: 'start a machine, or resume a paused one',
  reset: 'press the reset button of a machine',
};

/** Adds `start` or `reset`, which take effect at once. */
export function addVmPower(parent: Command, context: Context, verb: keyof typeof descriptions): void {
  addServerOptions(parent.command(`${verb} <machine>`).description(descriptions[verb])).action(
    async (name: string, options: ServerOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findOwnVm(server, name);
      const machine = await server.api.orderVm(id, verb);
      const text = `${escapeTerminal(machine.name)}: ${vmStateText(machine)}\n`;
      context.stdout.write(options.json === true ? jsonDocument(machine) : text);
    },
  );
}
