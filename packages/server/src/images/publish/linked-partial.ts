import { partialPath, renameExclusively, sidecarPath, syncDirectory } from '@wcc/copy/receive';
import { link, open, readFile, unlink, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing, ignoreUnsupported } from '../../files/errors.ts';
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

/** The names of a file that an operation publishes. */
export interface PartialNames {
  directory: string;
  /** Id of the operation. */
  id: string;
  targetName: string;
}

/** Gives a complete partial the mode of images and its final name. */
export async function publishPartial(file: FileHandle, names: PartialNames): Promise<void> {
  await file.chmod(imageMode).catch(ignoreUnsupported);
  await file.sync();
  await givePartialItsName(names);
}

/**
 * Gives a partial its final name; never replaces a file. The partial stays linked until the end is in the store, so that
 * wcc recognises its own file after a crash (decision 0041). Where the file system has no hard links, a note beside the
 * file has its inode instead, and the partial is renamed.
 *
 * @throws CopyError or system error `EEXIST` if the name is taken
 */
export async function givePartialItsName(names: PartialNames): Promise<void> {
  const { directory, id, targetName } = names;
  const [partial, target] = [partialPath(directory, id), join(directory, targetName)];
  try {
    await link(partial, target);
  } catch (error) {
    ignoreUnsupported(error);
    const { inode } = (await statEntry(partial, '')) ?? {};
    await writeFile(sidecarPath(directory, id), JSON.stringify({ renamedInode: inode }), {
      flush: true,
      mode: partialMode,
    });
    await syncDirectory(directory);
    renameExclusively(partial, target);
  }
  await syncDirectory(directory);
}

/** Whether the target is the file of the partial: it was published, but the store does not have the end yet. */
export async function wasPublished({ directory, id, targetName }: PartialNames): Promise<boolean> {
  const target = await statEntry(join(directory, targetName), targetName);
  if (target?.kind !== 'file') return false;
  const partial = await statEntry(partialPath(directory, id), '');
  return target.inode === (partial === null ? await readRenamedInode(directory, id) : partial.inode);
}

/** The inode in the note of {@link givePartialItsName}; null without a note. */
async function readRenamedInode(directory: string, id: string): Promise<string | null> {
  const text = (await readFile(sidecarPath(directory, id), 'utf8').catch(ignoreMissing)) ?? '';
  return /^\{"renamedInode":"(\d+)"\}$/.exec(text)?.[1] ?? null;
}
