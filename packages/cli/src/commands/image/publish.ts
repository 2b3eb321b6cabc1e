import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { imageFacts } from '../../output/human.ts';
import { jsonDocument } from '../../output/json.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { confirm } from '../confirm.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

interface PublishOptions extends ServerOptions {
  yes?: boolean;
}

/** Adds `wcc image publish`. */
export function addImagePublish(parent: Command, context: Context): void {
  const command = parent
    .command('publish <image>')
    .description('show a private image, which was a disk of a machine, to all users');
  addServerOptions(command)
    .option('--yes', 'do not ask for confirmation')
    .action(async (name: string, options: PublishOptions) => {
      const server = await findServer(context.env, options.url);
      const { id, name: known } = await findImage(server, name);
      const question = `Show all data of image ${id} "${known}" to all users? This cannot be undone.`;
      if (options.yes !== true) await confirm(context, question);
      const image = await server.api.changeImage(id, { private: false });
      context.stdout.write(options.json === true ? jsonDocument(image) : imageFacts(image));
    });
}
