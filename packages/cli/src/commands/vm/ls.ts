import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { jsonDocument } from '../../output/json.ts';
import { vmTable } from '../../output/machines.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

/** Adds `wcc vm ls`. */
export function addVmLs(parent: Command, context: Context): void {
  addServerOptions(parent.command('ls').description('list machines')).action(
    async (options: ServerOptions) => {
      const { api } = await findServer(context.env, options.url);
      const { items } = await api.vms();
      context.stdout.write(options.json === true ? jsonDocument({ items }) : vmTable(items));
    },
  );
}
