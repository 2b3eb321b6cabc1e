import { partialPath, syncDirectory } from '@wcc/copy';
import { link, open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing } from '../../files/errors.ts';
import { imageMode } from '../../files/modes.ts';
import { statEntry } from '../scan/stat-entry.ts';

const partialMode = 0o600;

/**
 * Creates an empty partial. Unlinks the partial of an earlier run, because another process may still write to it.
 */
export async function createPartial(directory: string, id: string): Promise<FileHandle> {
  const path = partialPath(directory, id);
  await unlink(path).catch(ignoreMissing);
  return open(path, 'wx+', partialMode);
}

/**
 * Gives a complete partial its final name; never replaces a file. The partial stays linked until the end is in the
 * store, so that wcc recognises its own file after a crash (decision 0041).
 */
export async function publishPartial(
  file: FileHandle,
  where: { directory: string; id: string; targetName: string },
): Promise<void> {
  await file.chmod(imageMode);
  await file.sync();
  await link(partialPath(where.directory, where.id), join(where.directory, where.targetName));
  await syncDirectory(where.directory);
}

/** True if both names are the same file: the file was published, but the store does not have the end yet. */
export async function wasPublished(where: {
  directory: string;
  id: string;
  targetName: string;
}): Promise<boolean> {
  const partial = await statEntry(partialPath(where.directory, where.id), '');
  const target = await statEntry(join(where.directory, where.targetName), where.targetName);
  return partial !== null && target?.kind === 'file' && target.inode === partial.inode;
}
