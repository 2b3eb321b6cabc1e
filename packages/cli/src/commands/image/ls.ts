import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { imageTable } from '../../output/human.ts';
import { document } from '../../output/json.ts';
import { listImages } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { withServer } from '../options.ts';

export function addImageLs(parent: Command, context: Context): void {
  withServer(parent.command('ls').description('list the images')).action(async (options: ServerOptions) => {
    const items = await listImages(await findServer(context.env, options.url));
    context.stdout.write(options.json === true ? document({ items }) : imageTable(items));
  });
}
