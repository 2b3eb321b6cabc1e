import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findServer } from '../../server/server.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { addActionOptions } from '../options.ts';

/** Adds `wcc op retry`. */
export function addOpRetry(parent: Command, context: Context): void {
  const command = parent
    .command('retry <operation>')
    .description('start a failed or cancelled operation again');
  addActionOptions(command).action(async (id: string, options: ActionOptions) => {
    const server = await findServer(context.env, options.url);
    await followOrDetach(context, server, { accepted: await server.api.retry(id), options });
  });
}
