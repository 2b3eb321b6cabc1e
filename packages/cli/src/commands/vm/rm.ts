import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { harmless } from '../../output/terminal.ts';
import type { OwnVm } from '../../server/find-vm.ts';
import { findOwnVm } from '../../server/find-vm.ts';
import { findServer } from '../../server/server.ts';
import { confirm } from '../confirm.ts';
import { finish } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { withAction } from '../options.ts';

interface RemoveOptions extends ActionOptions {
  yes?: boolean;
  keepDisks?: boolean;
}

export function addVmRm(parent: Command, context: Context): void {
  withAction(
    parent
      .command('rm <machine>')
      .description('delete a machine and its disks; one that runs is powered off'),
  )
    .option('--yes', 'do not ask')
    .option('--keep-disks', 'its disks stay as images of the pool')
    .action(async (name: string, options: RemoveOptions) => {
      const server = await findServer(context.env, options.url);
      const machine = await findOwnVm(server, name);
      const keeps = options.keepDisks === true;
      if (options.yes !== true) await confirm(context, questionOf(machine, keeps));
      await finish(context, server, {
        accepted: await server.api.deleteVm(machine.id, { disks: !keeps }),
        options,
      });
    });
}

function questionOf({ id, name, state, disks }: OwnVm, keeps: boolean): string {
  const files = disks.map((disk) => harmless(disk.name)).join(', ');
  const fate = files === '' ? '' : keeps ? `, but not ${files}` : ` with ${files}`;
  const runs = state === 'running' || state === 'paused' ? ' It is running.' : '';
  return `Delete machine ${id} "${harmless(name)}"${fate}?${runs}`;
}
