import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { confirm } from '../confirm.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { addActionOptions } from '../options.ts';
import { createIdempotencyKey } from '../idempotency-key.ts';

interface RemoveOptions extends ActionOptions {
  yes?: boolean;
}

/** Adds `wcc image rm`. */
export function addImageRm(parent: Command, context: Context): void {
  addActionOptions(parent.command('rm <image>').description('delete an image and its file'))
    .option('--yes', 'do not ask for confirmation')
    .action(async (name: string, options: RemoveOptions) => {
      const server = await findServer(context.env, options.url);
      const image = await findImage(server, name);
      const question = `Delete image ${image.id} "${image.name}"?`;
      if (options.yes !== true) await confirm(context, question);
      await followOrDetach(context, server, {
        accepted: await server.api.deleteImage(image.id, createIdempotencyKey()),
        options,
      });
    });
}
