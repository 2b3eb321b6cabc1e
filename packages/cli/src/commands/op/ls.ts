import type { Operation, OperationQuery } from '@wcc/api';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { operationTable } from '../../output/human.ts';
import { jsonDocument } from '../../output/json.ts';
import type { Server } from '../../server/server.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { parseCount, addServerOptions } from '../options.ts';

interface ListOptions extends ServerOptions {
  state?: string;
  action?: string;
  limit: number;
}

/** Adds `wcc op ls`. */
export function addOpLs(parent: Command, context: Context): void {
  addServerOptions(parent.command('ls').description('list operations, newest first'))
    .option('--state <states>', 'only these states, e.g. running,queued')
    .option('--action <action>', 'only this action, e.g. copy_vm_image')
    .option('--limit <n>', 'maximum number of operations', parseCount, 50)
    .action(async (options: ListOptions) => {
      const items = await listOperations(await findServer(context.env, options.url), options);
      context.stdout.write(options.json === true ? jsonDocument({ items }) : operationTable(items));
    });
}

async function listOperations({ api }: Server, { state, action, limit }: ListOptions): Promise<Operation[]> {
  const filter: OperationQuery = {
    ...(state === undefined ? {} : { state }),
    ...(action === undefined ? {} : { action }),
  };
  const items: Operation[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.operations({
      ...filter,
      limit: Math.min(200, limit - items.length),
      ...(cursor === undefined ? {} : { cursor }),
    });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined && items.length < limit);
  return items;
}
