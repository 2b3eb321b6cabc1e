import { escapeTerminal } from '@wcc/progress/terminal';
import type { OperationVerb } from '@wcc/progress/protocol';
import { isTerminal } from '@wcc/progress';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { followToEnd } from '../../follow/follow.ts';
import { CliError } from '../../runtime/errors.ts';
import { rowOf } from '../../output/human.ts';
import { jsonDocument } from '../../output/json.ts';
import { findServer } from '../../server/server.ts';
import type { ActionOptions, ServerOptions } from '../options.ts';
import { addServerOptions, addWatchOptions } from '../options.ts';

const descriptions: Record<Exclude<OperationVerb, 'retry'>, string> = {
  cancel: 'cancel an operation and wait until its files are removed',
  pause: 'pause an operation',
  resume: 'resume a paused or interrupted operation',
};

/** Adds `cancel`, `pause` or `resume`. */
export function addOpVerb(parent: Command, context: Context, verb: Exclude<OperationVerb, 'retry'>): void {
  const command = parent.command(`${verb} <operation>`).description(descriptions[verb]);
  if (verb === 'cancel') return addCancel(command, context);
  addServerOptions(command).action(async (id: string, options: ServerOptions) => {
    const { api } = await findServer(context.env, options.url);
    const { operation } = await api[verb](id);
    context.stdout.write(
      options.json === true ? jsonDocument(operation) : `${escapeTerminal(rowOf(operation).status)}\n`,
    );
  });
}

function addCancel(command: Command, context: Context): void {
  addWatchOptions(command)
    .option('--detach', 'return as soon as the server has accepted the request')
    .action(async (id: string, options: ActionOptions) => {
      const server = await findServer(context.env, options.url);
      const { operation } = await server.api.cancel(id);
      const json = options.json === true;
      const isOver = options.detach === true || isTerminal(operation.state);
      const follow = { operation, json, giveUpAfterMs: options.giveUpAfter };
      const end = isOver ? operation : await followToEnd(context, server, follow).catch(expectCancelled);
      // A cancel that came too late is an error, because the operation was not cancelled.
      if (end !== null && end.state === 'succeeded')
        throw new CliError('failed', 'Cannot cancel: the operation already succeeded.', {
          code: 'cancel_too_late',
        });
      if (json && isOver) context.stdout.write(jsonDocument(operation));
      if (!json) context.stdout.write(`${end === null ? 'Cancelled' : escapeTerminal(rowOf(end).status)}\n`);
    });
}

/** Ignores the error of a cancelled operation, which is the expected end. */
function expectCancelled(error: unknown): null {
  if (error instanceof CliError && error.exit === 'cancelled') return null;
  throw error;
}
