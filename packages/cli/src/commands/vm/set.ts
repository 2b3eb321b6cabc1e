import type { ChangeVmRequest } from '@wcc/api';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { jsonDocument } from '../../output/json.ts';
import { vmFacts } from '../../output/machines.ts';
import { findOwnVm } from '../../server/find-vm.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

interface SetOptions extends ServerOptions {
  autostart?: 'on' | 'off';
  autostartOrder?: number;
  autostartDelay?: number;
}

/** Adds `wcc vm set`. */
export function addVmSet(parent: Command, context: Context): void {
  const command = parent.command('set <machine>').description('change when a machine starts with its host');
  addServerOptions(command)
    .addOption(
      new Option('--autostart <when>', 'start the machine after a boot of the host').choices(['on', 'off']),
    )
    .addOption(
      new Option('--autostart-order <number>', 'lower ones start first, from 0 to 9999').argParser(
        parseUpTo(9999),
      ),
    )
    .addOption(
      new Option('--autostart-delay <seconds>', 'pause after the start before it, up to 3600').argParser(
        parseUpTo(3600),
      ),
    )
    .action(async (name: string, options: SetOptions) => {
      const change = changeOf(options);
      const server = await findServer(context.env, options.url);
      const { id } = await findOwnVm(server, name);
      const machine = await server.api.changeVm(id, change);
      context.stdout.write(options.json === true ? jsonDocument(machine) : vmFacts(machine));
    });
}

/** @throws CliError `usage` without any change */
function changeOf({ autostart, autostartOrder, autostartDelay }: SetOptions): ChangeVmRequest {
  const change = {
    ...(autostart === undefined ? {} : { enabled: autostart === 'on' }),
    ...(autostartOrder === undefined ? {} : { order: autostartOrder }),
    ...(autostartDelay === undefined ? {} : { delaySeconds: autostartDelay }),
  };
  if (Object.keys(change).length > 0) return { autostart: change };
  throw new CliError('usage', 'Nothing to change.', { hint: 'See the options: wcc vm set --help' });
}

function parseUpTo(most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,4}$/.test(text) && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`Expected a whole number from 0 to ${most}.`);
  };
}
