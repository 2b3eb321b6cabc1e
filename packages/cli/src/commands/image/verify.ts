import { escapeTerminal } from '@wcc/progress/terminal';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { parseDigest, addActionOptions } from '../options.ts';
import { createIdempotencyKey } from '../idempotency-key.ts';

interface VerifyOptions extends ActionOptions {
  sha256?: string;
}

/** Adds `wcc image verify`. */
export function addImageVerify(parent: Command, context: Context): void {
  const command = parent
    .command('verify <image>')
    .description('read an image completely, and compute or compare its SHA-256');
  addActionOptions(command)
    .option('--sha256 <digest>', 'expected SHA-256', parseDigest)
    .action(async (name: string, options: VerifyOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findImage(server, name);
      const body = options.sha256 === undefined ? {} : { sha256: options.sha256 };
      await followOrDetach(context, server, {
        accepted: await server.api.verifyImage(id, body, createIdempotencyKey()),
        options,
      });
      if (options.json === true || options.detach === true) return;
      const { sha256 } = await server.api.image(id);
      if (sha256 !== null) context.stdout.write(`sha256 ${escapeTerminal(sha256)}\n`);
    });
}
