import type { ConvertImageRequest } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { addActionOptions } from '../options.ts';
import { createIdempotencyKey } from '../idempotency-key.ts';

interface ConvertOptions extends ActionOptions {
  format: ConvertImageRequest['format'];
  compress?: boolean;
  pool?: string;
}

/** Adds `wcc image convert`. */
export function addImageConvert(parent: Command, context: Context): void {
  const command = parent
    .command('convert <image> <name>')
    .description('create a new image of another format from an image');
  addActionOptions(command)
    .addOption(
      new Option('--format <format>', 'format of the new image')
        .choices(['raw', 'qcow2'])
        .makeOptionMandatory(),
    )
    .option('--compress', 'compress a qcow2 image: smaller, but slower to write and read')
    .option('--pool <pool>', 'pool for the new image')
    .action(async (source: string, name: string, options: ConvertOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findImage(server, source);
      const { format, compress = false, pool } = options;
      const body = { name, format, compress, ...(pool === undefined ? {} : { pool }) };
      await followOrDetach(context, server, {
        accepted: await server.api.convertImage(id, body, createIdempotencyKey()),
        options,
      });
    });
}
