import type { OperationVerb } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { followToEnd } from '../../follow/follow.ts';
import { CliError } from '../../runtime/errors.ts';
import { rowOf } from '../../output/human.ts';
import { document } from '../../output/json.ts';
import { findServer } from '../../server/server.ts';
import type { ActionOptions, ServerOptions } from '../options.ts';
import { withServer, withWatching } from '../options.ts';

const told: Record<Exclude<OperationVerb, 'retry'>, string> = {
  cancel: 'cancel an operation, and wait until its space is free again',
  pause: 'pause an operation',
  resume: 'let a paused operation go on',
};

/** The verbs that change one operation in place. */
export function addOpVerb(parent: Command, context: Context, verb: Exclude<OperationVerb, 'retry'>): void {
  const command = parent.command(`${verb} <operation>`).description(told[verb]);
  if (verb === 'cancel') return addCancel(command, context);
  withServer(command).action(async (id: string, options: ServerOptions) => {
    const { api } = await findServer(context.env, options.url);
    const { operation } = await api[verb](id);
    context.stdout.write(options.json === true ? document(operation) : `${rowOf(operation).status}\n`);
  });
}

function addCancel(command: Command, context: Context): void {
  withWatching(command)
    .option('--detach', 'return as soon as the server has taken the order')
    .action(async (id: string, options: ActionOptions) => {
      const server = await findServer(context.env, options.url);
      const { operation } = await server.api.cancel(id);
      const json = options.json === true;
      const isOver = options.detach === true || isTerminal(operation.state);
      const follow = { operation, json, giveUpAfterMs: options.giveUpAfter };
      const end = isOver ? operation : await followToEnd(context, server, follow).catch(expectCancelled);
      // A cancel that came too late is told, but it is not what was asked for.
      if (end !== null && end.state === 'succeeded')
        throw new CliError('failed', 'It had succeeded already.', { code: 'cancel_too_late' });
      if (json && isOver) context.stdout.write(document(operation));
      if (!json) context.stdout.write(`${end === null ? 'Cancelled' : rowOf(end).status}\n`);
    });
}

/** To be cancelled is what was wanted. */
function expectCancelled(error: unknown): null {
  if (error instanceof CliError && error.exit === 'cancelled') return null;
  throw error;
}
