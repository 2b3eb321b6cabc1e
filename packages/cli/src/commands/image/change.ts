import type { ChangeImageRequest } from '@wcc/api';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { imageFacts } from '../../output/human.ts';
import { jsonDocument } from '../../output/json.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { confirm } from '../confirm.ts';
import type { ServerOptions } from '../options.ts';
import { addServerOptions } from '../options.ts';

interface ChangeOptions extends ServerOptions {
  yes?: boolean;
}

interface ImageChange {
  verb: string;
  description: string;
  /** @param image its number and name */
  question: (image: string) => string;
  change: ChangeImageRequest;
}

/** Adds a command that changes an image after a question, and prints the image. */
export function addImageChange(
  parent: Command,
  context: Context,
  { verb, description, question, change }: ImageChange,
): void {
  const command = parent.command(`${verb} <image>`).description(description);
  addServerOptions(command)
    .option('--yes', 'do not ask for confirmation')
    .action(async (name: string, options: ChangeOptions) => {
      const server = await findServer(context.env, options.url);
      const { id, name: known } = await findImage(server, name);
      if (options.yes !== true) await confirm(context, question(`${id} "${known}"`));
      const image = await server.api.changeImage(id, change);
      context.stdout.write(options.json === true ? jsonDocument(image) : imageFacts(image));
    });
}
