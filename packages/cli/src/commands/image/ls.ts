import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { imageTable } from '../../output/human.ts';
import { jsonDocument } from '../../output/json.ts';
import { listImages } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

/** Adds `wcc image ls`. */
export function addImageLs(parent: Command, context: Context): void {
  addServerOptions(parent.command('ls').description('list images')).action(async (options: ServerOptions) => {
    const items = await listImages(await findServer(context.env, options.url));
    context.stdout.write(options.json === true ? jsonDocument({ items }) : imageTable(items));
  });
}
