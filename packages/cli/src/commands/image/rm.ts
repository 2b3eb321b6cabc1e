import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { harmless } from '../../output/terminal.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { confirm } from '../confirm.ts';
import { finish } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { withAction } from '../options.ts';
import { newKey } from '../idempotency-key.ts';

interface RemoveOptions extends ActionOptions {
  yes?: boolean;
}

export function addImageRm(parent: Command, context: Context): void {
  withAction(parent.command('rm <image>').description('delete an image and its file'))
    .option('--yes', 'do not ask')
    .action(async (name: string, options: RemoveOptions) => {
      const server = await findServer(context.env, options.url);
      const image = await findImage(server, name);
      const question = `Delete image ${image.id} "${harmless(image.name)}"?`;
      if (options.yes !== true) await confirm(context, question);
      await finish(context, server, { accepted: await server.api.deleteImage(image.id, newKey()), options });
    });
}
