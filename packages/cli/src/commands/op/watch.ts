import { isTerminal } from '@wcc/progress';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { endOf } from '../../runtime/errors.ts';
import { line } from '../../output/json.ts';
import { findServer } from '../../server/server.ts';
import { finish, tellEnd } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { withWatching } from '../options.ts';

export function addOpWatch(parent: Command, context: Context): void {
  withWatching(parent.command('watch <operation>').description('watch an operation to its end')).action(
    async (id: string, options: ActionOptions) => {
      const server = await findServer(context.env, options.url);
      const operation = await server.api.operation(id);
      // An end is final: there is nothing to wait for.
      if (!isTerminal(operation.state)) return finish(context, server, { accepted: { operation }, options });
      if (options.json === true) context.stdout.write(line(operation));
      if (operation.state !== 'succeeded') throw endOf(operation);
      if (options.json !== true) tellEnd(context, operation);
    },
  );
}
