import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { logTable } from '../../output/human.ts';
import { jsonDocument } from '../../output/json.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

/** Adds `wcc op log`. */
export function addOpLog(parent: Command, context: Context): void {
  addServerOptions(parent.command('log <operation>').description('show the log of an operation')).action(
    async (id: string, options: ServerOptions) => {
      const { api } = await findServer(context.env, options.url);
      const log = await api.operationLog(id);
      context.stdout.write(options.json === true ? jsonDocument(log) : logTable(log));
    },
  );
}
