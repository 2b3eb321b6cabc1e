import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { document } from '../../output/json.ts';
import { vmFacts } from '../../output/machines.ts';
import { findVm } from '../../server/find-vm.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { withServer } from '../options.ts';

export function addVmShow(parent: Command, context: Context): void {
  withServer(
    parent.command('show <machine>').description('show one machine; name it by its id or its name'),
  ).action(async (name: string, options: ServerOptions) => {
    const machine = await findVm(await findServer(context.env, options.url), name);
    context.stdout.write(options.json === true ? document(machine) : vmFacts(machine));
  });
}
