import type { Command } from 'commander';
import type { Context } from '../runtime/context.ts';
import { addImageAcceptBase } from './image/accept-base.ts';
import { addImageConvert } from './image/convert.ts';
import { addImageCopy } from './image/copy.ts';
import { addImageDownload } from './image/download.ts';
import { addImageImport } from './image/import.ts';
import { addImageLs } from './image/ls.ts';
import { addImagePublish } from './image/publish.ts';
import { addImageRm } from './image/rm.ts';
import { addImageShow } from './image/show.ts';
import { addImageUpload } from './image/upload.ts';
import { addImageVerify } from './image/verify.ts';

const verbs = [
  addImageLs,
  addImageShow,
  addImageUpload,
  addImageDownload,
  addImageCopy,
  addImageImport,
  addImageConvert,
  addImageVerify,
  addImagePublish,
  addImageAcceptBase,
  addImageRm,
];

/** Adds `wcc image` with its subcommands. */
export function addImageCommands(program: Command, context: Context): void {
  const image = program.command('image').description('list, create, transfer and delete images');
  for (const add of verbs) add(image, context);
}
