import { copyMethods } from '@wcc/api';
import type { CopyMethodChoice } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { parseBytes, addActionOptions } from '../options.ts';
import { createIdempotencyKey } from '../idempotency-key.ts';

interface CopyOptions extends ActionOptions {
  pool?: string;
  method: CopyMethodChoice;
  limit?: number;
  verify?: boolean;
}

/** Adds `wcc image copy`. */
export function addImageCopy(parent: Command, context: Context): void {
  const command = parent.command('copy <image> <name>').description('copy an image under a new name');
  addActionOptions(command)
    .option('--pool <pool>', 'pool for the copy')
    .addOption(
      new Option('--method <method>', 'share blocks (clone), copy the data, or clone if possible (auto)')
        .choices(copyMethods)
        .default('auto'),
    )
    .option('--limit <bytes>', 'maximum bytes per second, e.g. 100M', parseBytes)
    .option('--verify', 'read the copy again and compare it')
    .action(async (source: string, name: string, options: CopyOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findImage(server, source);
      const { pool, method, limit = null, verify = false } = options;
      const body = { name, method, verify, bytesPerSecond: limit, ...(pool === undefined ? {} : { pool }) };
      const accepted = await server.api.copyImage(id, body, createIdempotencyKey());
      await followOrDetach(context, server, { accepted, options });
    });
}
