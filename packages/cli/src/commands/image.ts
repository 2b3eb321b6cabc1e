import type { Command } from 'commander';
import type { Context } from '../frame/context.ts';
import { addImageCopy } from './image/copy.ts';
import { addImageLs } from './image/ls.ts';
import { addImageShow } from './image/show.ts';

export function addImageCommands(program: Command, context: Context): void {
  const image = program.command('image').description('look at images, and make, fetch and remove them');
  for (const add of [addImageLs, addImageShow, addImageCopy]) add(image, context);
}
