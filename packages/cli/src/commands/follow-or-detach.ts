import type { Accepted } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { Context } from '../runtime/context.ts';
import { followToEnd } from '../follow/follow.ts';
import { namesOf, rowOf } from '../output/human.ts';
import { document } from '../output/json.ts';
import { harmless } from '../output/terminal.ts';
import type { Server } from '../server/server.ts';
import type { ActionOptions } from './options.ts';

/** What every action does once the server has accepted it: leave, or follow it to its end. */
export async function finish(
  context: Context,
  server: Server,
  { accepted, options }: { accepted: Accepted; options: ActionOptions },
): Promise<void> {
  const { operation } = accepted;
  const json = options.json === true;
  if (options.detach === true) {
    context.stdout.write(json ? document(operation) : `${operation.id}\n`);
    return;
  }
  const end = await followToEnd(context, server, { operation, json, giveUpAfterMs: options.giveUpAfter });
  if (!json) tellEnd(context, end);
}

/** One line: what became of it. */
export function tellEnd({ stdout }: Context, snapshot: Snapshot): void {
  const row = rowOf(snapshot);
  const made = snapshot.result === null ? '' : ` (${snapshot.result.kind} ${snapshot.result.id})`;
  stdout.write(`${harmless(namesOf(snapshot))}${made}: ${harmless(row.status)}\n`);
  for (const part of snapshot.warnings.length > 0 ? [row.detail] : []) stdout.write(`${harmless(part)}\n`);
}
