import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { addImageChange } from './change.ts';

/** Adds `wcc image publish`. */
export function addImagePublish(parent: Command, context: Context): void {
  addImageChange(parent, context, {
    verb: 'publish',
    description: 'show a private image, which was a disk of a machine, to all users',
    question: (image) => `Show all data of image ${image} to all users? This cannot be undone.`,
    change: { private: false },
  });
}
