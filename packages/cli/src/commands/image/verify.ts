import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { finish } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { digest, withAction } from '../options.ts';
import { newKey } from '../idempotency-key.ts';

interface VerifyOptions extends ActionOptions {
  sha256?: string;
}

export function addImageVerify(parent: Command, context: Context): void {
  const command = parent
    .command('verify <image>')
    .description('read an image whole, and compute or compare its SHA-256');
  withAction(command)
    .option('--sha256 <digest>', 'what it should be', digest)
    .action(async (name: string, options: VerifyOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findImage(server, name);
      const body = options.sha256 === undefined ? {} : { sha256: options.sha256 };
      await finish(context, server, { accepted: await server.api.verifyImage(id, body, newKey()), options });
      if (options.json === true || options.detach === true) return;
      const { sha256 } = await server.api.image(id);
      if (sha256 !== null) context.stdout.write(`sha256 ${sha256}\n`);
    });
}
