import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import type { OwnVm } from '../../server/find-vm.ts';
import { findOwnVm } from '../../server/find-vm.ts';
import { findServer } from '../../server/server.ts';
import { isOn } from '../../output/machines.ts';
import { confirm } from '../confirm.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { addActionOptions } from '../options.ts';

interface RemoveOptions extends ActionOptions {
  yes?: boolean;
  keepDisks?: boolean;
}

/** Adds `wcc vm rm`. */
export function addVmRm(parent: Command, context: Context): void {
  addActionOptions(
    parent
      .command('rm <machine>')
      .description('delete a machine and its disks; powers off a running machine'),
  )
    .option('--yes', 'do not ask for confirmation')
    .option('--keep-disks', 'keep the disks as images')
    .action(async (name: string, options: RemoveOptions) => {
      const server = await findServer(context.env, options.url);
      const machine = await findOwnVm(server, name);
      const keepsDisks = options.keepDisks === true;
      if (options.yes !== true) await confirm(context, questionOf(machine, keepsDisks));
      await followOrDetach(context, server, {
        accepted: await server.api.deleteVm(machine.id, { disks: !keepsDisks }),
        options,
      });
    });
}

function questionOf(machine: OwnVm, keepsDisks: boolean): string {
  const { id, name, state, disks } = machine;
  const files = disks.map((disk) => disk.name).join(', ');
  const fate = files === '' ? '' : keepsDisks ? `, but not ${files}` : ` with ${files}`;
  const runs = isOn(machine) ? ' It is running.' : state === 'saved' ? ' Its saved memory is lost.' : '';
  return `Delete machine ${id} "${name}"${fate}?${runs}`;
}
