import { basename } from 'node:path';
import { imageFormat } from '@wcc/api';
import type { ImageFormat } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { findServer } from '../../server/server.ts';
import { finish } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { digest, withAction } from '../options.ts';
import { newKey } from '../idempotency-key.ts';

interface ImportOptions extends ActionOptions {
  name?: string;
  pool?: string;
  sha256?: string;
  format?: ImageFormat;
}

export function addImageImport(parent: Command, context: Context): void {
  withAction(parent.command('import <address>').description('let the server fetch an image from a URL'))
    .option('--name <name>', 'name of the image, instead of the last part of the URL')
    .option('--pool <pool>', 'pool that takes it')
    .option('--sha256 <digest>', 'refuse another file than this', digest)
    .addOption(
      new Option('--format <format>', 'what the file is; its content decides').choices(imageFormat.options),
    )
    .action(async (address: string, options: ImportOptions) => {
      const server = await findServer(context.env, options.url);
      const { pool, sha256, format } = options;
      const body = {
        url: address,
        name: options.name ?? nameOf(address),
        ...(pool === undefined ? {} : { pool }),
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(format === undefined ? {} : { format }),
      };
      await finish(context, server, { accepted: await server.api.importImage(body, newKey()), options });
    });
}

function nameOf(address: string): string {
  const path = URL.canParse(address) ? new URL(address).pathname : '';
  const last = basename(path);
  try {
    if (last !== '') return decodeURIComponent(last);
  } catch {
    // Not well encoded: nobody guesses.
  }
  throw new CliError('usage', 'The URL names no file.', { hint: 'Give the image a name: --name' });
}
