import type { CdBus, QuickCreateVmRequest } from '@wcc/api';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { parseBytes, parseCount, parseMemoryBytes, addActionOptions } from '../options.ts';
import { createIdempotencyKey } from '../idempotency-key.ts';
import { cdBusOption } from './cd-bus.ts';

interface QuickCreateOptions extends ActionOptions {
  size?: number;
  fullCopy?: boolean;
  cpus?: number;
  memory?: number;
  cdBus?: CdBus;
  start?: boolean;
}

/** Adds `wcc vm quick-create`. */
export function addVmQuickCreate(parent: Command, context: Context): void {
  const command = parent
    .command('quick-create <image> <name>')
    .description('create and start a machine from an image, with your first-boot profile');
  addActionOptions(command)
    .option('--size <bytes>', 'size of the disk, if larger than the image, e.g. 40G', parseBytes)
    .option('--full-copy', 'independent disk (default: shares the blocks of the image)')
    .option('--cpus <n>', 'number of CPUs (default: 2)', parseCount)
    .option('--memory <bytes>', 'memory, e.g. 512M or 4G (default: 2G)', parseMemoryBytes)
    .addOption(cdBusOption())
    .option('--start', 'start when ready (default)')
    .option('--no-start', 'do not start')
    .action(async (source: string, name: string, options: QuickCreateOptions) => {
      const server = await findServer(context.env, options.url);
      const { id } = await findImage(server, source);
      const { size, fullCopy = false, cpus, memory, cdBus, start = true } = options;
      const body: QuickCreateVmRequest = {
        image: id,
        name,
        full: fullCopy,
        start,
        ...(size === undefined ? {} : { sizeBytes: size }),
        ...(cpus === undefined ? {} : { cpus }),
        ...(memory === undefined ? {} : { memoryBytes: memory }),
        ...(cdBus === undefined ? {} : { cdBus }),
      };
      await followOrDetach(context, server, {
        accepted: await server.api.quickCreateVm(body, createIdempotencyKey()),
        options,
      });
    });
}
