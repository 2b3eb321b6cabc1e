import type { ConvertImageRequest } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { finish } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { withAction } from '../options.ts';
import { newKey } from '../idempotency-key.ts';

interface ConvertOptions extends ActionOptions {
  format: ConvertImageRequest['format'];
  compress?: boolean;
  pool?: string;
}

export function addImageConvert(parent: Command, context: Context): void {
  const command = parent
    .command('convert <image> <name>')
    .description('make an image of the other format out of one');
  withAction(command)
    .addOption(
      new Option('--format <format>', 'of the new image').choices(['raw', 'qcow2']).makeOptionMandatory(),
    )
    .option('--compress', 'qcow2 only: smaller, slower to make and to read')
    .option('--pool <pool>', 'pool of the new image')
    .action(async (source: string, name: string, options: ConvertOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findImage(server, source);
      const { format, compress = false, pool } = options;
      const body = { name, format, compress, ...(pool === undefined ? {} : { pool }) };
      await finish(context, server, { accepted: await server.api.convertImage(id, body, newKey()), options });
    });
}
