import { createPrompt } from '../account/prompt.ts';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';

/** Asks for confirmation on a terminal. @throws CliError without a terminal, or unless the answer is yes */
export async function confirm(context: Context, question: string): Promise<void> {
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true) {
    throw new CliError('usage', 'Cannot ask for confirmation without a terminal.', { hint: 'Add --yes.' });
  }
  const prompt = createPrompt(context);
  const answer = await prompt.ask(`${question} [y/N] `).finally(() => prompt.close());
  if (!/^y(es)?$/i.test(answer))
    throw new CliError('cancelled', 'Nothing was changed.', { code: 'not_confirmed' });
}
