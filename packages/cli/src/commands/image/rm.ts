import type { Image } from '@wcc/api';
import type { Command } from 'commander';
import { createAsker } from '../../account/ask.ts';
import type { Context } from '../../frame/context.ts';
import { CliError } from '../../frame/errors.ts';
import { harmless } from '../../output/terminal.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { finish } from '../finish.ts';
import type { ActionOptions } from '../options.ts';
import { withAction } from '../options.ts';
import { newKey } from '../request-key.ts';

interface RemoveOptions extends ActionOptions {
  yes?: boolean;
}

export function addImageRm(parent: Command, context: Context): void {
  withAction(parent.command('rm <image>').description('delete an image and its file'))
    .option('--yes', 'do not ask')
    .action(async (name: string, options: RemoveOptions) => {
      const server = await findServer(context.env, options.url);
      const image = await findImage(server, name);
      if (options.yes !== true) await confirm(context, image);
      await finish(context, server, { accepted: await server.api.deleteImage(image.id, newKey()), options });
    });
}

/** Asks on a terminal; a script has to have said it beforehand. */
async function confirm(context: Context, { id, name }: Image): Promise<void> {
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true) {
    throw new CliError('usage', 'Nobody is there to be asked.', { hint: 'Say --yes.' });
  }
  const asker = createAsker(context);
  const answer = await asker
    .ask(`Delete image ${id} "${harmless(name)}"? [y/N] `)
    .finally(() => asker.close());
  if (!/^y(es)?$/i.test(answer))
    throw new CliError('cancelled', 'Nothing was deleted.', { code: 'not_confirmed' });
}
