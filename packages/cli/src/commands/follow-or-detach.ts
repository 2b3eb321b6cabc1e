import type { Accepted } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { Context } from '../runtime/context.ts';
import { followToEnd } from '../follow/follow.ts';
import { namesOf, rowOf } from '../output/human.ts';
import { jsonDocument } from '../output/json.ts';
import { escapeTerminal } from '@wcc/progress/terminal';
import type { Server } from '../server/server.ts';
import type { ActionOptions } from './options.ts';

/** Follows an accepted operation to its end, or prints its id with `--detach`. */
export async function followOrDetach(
  context: Context,
  server: Server,
  { accepted, options }: { accepted: Accepted; options: ActionOptions },
): Promise<void> {
  const { operation } = accepted;
  const json = options.json === true;
  if (options.detach === true) {
    context.stdout.write(json ? jsonDocument(operation) : `${operation.id}\n`);
    return;
  }
  const end = await followToEnd(context, server, { operation, json, giveUpAfterMs: options.giveUpAfter });
  if (!json) printResult(context, end);
}

/** Prints one line with the result of an operation, and one with its warnings. */
export function printResult({ stdout }: Context, snapshot: Snapshot): void {
  const row = rowOf(snapshot);
  const made = snapshot.result === null ? '' : ` (${snapshot.result.kind} ${snapshot.result.id})`;
  stdout.write(`${escapeTerminal(namesOf(snapshot))}${made}: ${escapeTerminal(row.status)}\n`);
  for (const part of snapshot.warnings.length > 0 ? [row.detail] : [])
    stdout.write(`${escapeTerminal(part)}\n`);
}
