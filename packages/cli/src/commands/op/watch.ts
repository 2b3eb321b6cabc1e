import { isTerminal } from '@wcc/progress';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { endError } from '../../runtime/errors.ts';
import { jsonLine } from '../../output/json.ts';
import { findServer } from '../../server/server.ts';
import { followOrDetach, printResult } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { addWatchOptions } from '../options.ts';

/** Adds `wcc op watch`. */
export function addOpWatch(parent: Command, context: Context): void {
  addWatchOptions(parent.command('watch <operation>').description('watch an operation until its end')).action(
    async (id: string, options: ActionOptions) => {
      const server = await findServer(context.env, options.url);
      const operation = await server.api.operation(id);
      // An ended operation never changes, so there is nothing to watch.
      if (!isTerminal(operation.state))
        return followOrDetach(context, server, { accepted: { operation }, options });
      if (options.json === true) context.stdout.write(jsonLine(operation));
      if (operation.state !== 'succeeded') throw endError(operation);
      if (options.json !== true) printResult(context, operation);
    },
  );
}
