import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { addImageChange } from './change.ts';

/** Adds `wcc image accept-base`. */
export function addImageAcceptBase(parent: Command, context: Context): void {
  addImageChange(parent, context, {
    verb: 'accept-base',
    description: 'accept a changed file as the one that disks of machines are based on (administrators)',
    question: (image) =>
      `Start machines on image ${image} as it is now? On another content than before, their disks are damaged.`,
    change: { baseChanged: false },
  });
}
