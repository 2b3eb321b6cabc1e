import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { jsonDocument } from '../../output/json.ts';
import { vmFacts } from '../../output/machines.ts';
import { findVm } from '../../server/find-vm.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

/** Adds `wcc vm show`. */
export function addVmShow(parent: Command, context: Context): void {
  addServerOptions(parent.command('show <machine>').description('show a machine, by id or name')).action(
    async (name: string, options: ServerOptions) => {
      const machine = await findVm(await findServer(context.env, options.url), name);
      context.stdout.write(options.json === true ? jsonDocument(machine) : vmFacts(machine));
    },
  );
}
