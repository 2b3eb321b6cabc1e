import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { operationFacts } from '../../output/human.ts';
import { jsonDocument } from '../../output/json.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

/** Adds `wcc op show`. */
export function addOpShow(parent: Command, context: Context): void {
  addServerOptions(parent.command('show <operation>').description('show an operation')).action(
    async (id: string, options: ServerOptions) => {
      const { api } = await findServer(context.env, options.url);
      const operation = await api.operation(id);
      context.stdout.write(options.json === true ? jsonDocument(operation) : operationFacts(operation));
    },
  );
}
