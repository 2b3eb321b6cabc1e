import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { imageFacts } from '../../output/human.ts';
import { document } from '../../output/json.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { withServer } from '../options.ts';

export function addImageShow(parent: Command, context: Context): void {
  withServer(
    parent.command('show <image>').description('show one image; name it by its id or its name'),
  ).action(async (name: string, options: ServerOptions) => {
    const image = await findImage(await findServer(context.env, options.url), name);
    context.stdout.write(options.json === true ? document(image) : imageFacts(image));
  });
}
