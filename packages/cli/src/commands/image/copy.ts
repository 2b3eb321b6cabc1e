import { copyMethod } from '@wcc/api';
import type { CopyMethodChoice } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { finish } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { bytes, withAction } from '../options.ts';
import { newKey } from '../idempotency-key.ts';

interface CopyOptions extends ActionOptions {
  pool?: string;
  method: CopyMethodChoice;
  limit?: number;
  verify?: boolean;
}

export function addImageCopy(parent: Command, context: Context): void {
  const command = parent.command('copy <image> <name>').description('copy an image under a new name');
  withAction(command)
    .option('--pool <pool>', 'pool of the copy')
    .addOption(
      new Option('--method <method>', 'share blocks or copy').choices(copyMethod.options).default('auto'),
    )
    .option('--limit <bytes>', 'bytes per second, e.g. 100M', bytes)
    .option('--verify', 'read the copy again and compare')
    .action(async (source: string, name: string, options: CopyOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findImage(server, source);
      const { pool, method, limit = null, verify = false } = options;
      const body = { name, method, verify, bytesPerSecond: limit, ...(pool === undefined ? {} : { pool }) };
      const accepted = await server.api.copyImage(id, body, newKey());
      await finish(context, server, { accepted, options });
    });
}
