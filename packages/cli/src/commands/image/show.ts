import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { imageFacts } from '../../output/human.ts';
import { jsonDocument } from '../../output/json.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

/** Adds `wcc image show`. */
export function addImageShow(parent: Command, context: Context): void {
  addServerOptions(parent.command('show <image>').description('show an image, by id or name')).action(
    async (name: string, options: ServerOptions) => {
      const image = await findImage(await findServer(context.env, options.url), name);
      context.stdout.write(options.json === true ? jsonDocument(image) : imageFacts(image));
    },
  );
}
