import { createAsker } from '../account/prompt.ts';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';

/** Asks on a terminal; a script has to have said `--yes` beforehand. @throws CliError unless the answer is yes */
export async function confirm(context: Context, question: string): Promise<void> {
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true) {
    throw new CliError('usage', 'Nobody is there to be asked.', { hint: 'Say --yes.' });
  }
  const asker = createAsker(context);
  const answer = await asker.ask(`${question} [y/N] `).finally(() => asker.close());
  if (!/^y(es)?$/i.test(answer))
    throw new CliError('cancelled', 'Nothing was deleted.', { code: 'not_confirmed' });
}
