import type { QuickCreateVmRequest } from '@wcc/api';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { finish } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { bytes, count, memoryBytes, withAction } from '../options.ts';
import { newKey } from '../idempotency-key.ts';

interface QuickCreateOptions extends ActionOptions {
  size?: number;
  fullCopy?: boolean;
  cpus?: number;
  memory?: number;
  start: boolean;
}

export function addVmQuickCreate(parent: Command, context: Context): void {
  const command = parent
    .command('quick-create <image> <name>')
    .description('make a machine of an image and start it; your first-boot profile lets you in');
  withAction(command)
    .option('--size <bytes>', 'a larger disk than the image, e.g. 40G', bytes)
    .option('--full-copy', 'an independent disk; without this it shares what the image has')
    .option('--cpus <n>', 'processors', count)
    .option('--memory <bytes>', 'memory, e.g. 512M or 4G; 2G without this', memoryBytes)
    .option('--start', 'start it when it is ready; so it is without this', true)
    .option('--no-start', 'leave it off')
    .action(async (source: string, name: string, options: QuickCreateOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findImage(server, source);
      const { size, fullCopy = false, cpus, memory, start } = options;
      const body: QuickCreateVmRequest = {
        image: id,
        name,
        full: fullCopy,
        start,
        ...(size === undefined ? {} : { sizeBytes: size }),
        ...(cpus === undefined ? {} : { cpus }),
        ...(memory === undefined ? {} : { memoryBytes: memory }),
      };
      await finish(context, server, { accepted: await server.api.quickCreateVm(body, newKey()), options });
    });
}
