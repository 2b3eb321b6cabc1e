import { ApiError } from '@wcc/api';
import { isOpenElsewhere } from '@wcc/copy';
import { partialPath, renameExclusively, syncDirectory } from '@wcc/copy/receive';
import { open, rename, unlink } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { statEntry } from '../scan/stat-entry.ts';
import type { Entry } from '../scan/stat-entry.ts';
import type { Progress } from '../../operations/work.ts';
import type { DeleteInput } from './input.ts';

/** A deletion, with the directory of its pool. */
export interface Removal {
  directory: string;
  id: string;
  input: DeleteInput;
}

/** A file is shortened in steps of this size: one long unlink would block the journal, and every other file, for seconds. */
const stepBytes = 1024 ** 3;

const hiddenOf = ({ directory, id }: Removal): string => partialPath(directory, id);
export const nameOf = ({ directory, input }: Removal): string => join(directory, input.sourceName);

/**
 * Deletes the file in two steps: removes its name, then frees its blocks. A crash may happen between them. The
 * first step can be undone.
 */
export async function removeFile(removal: Removal, progress: Progress): Promise<void> {
  const hidden = await statEntry(hiddenOf(removal), '');
  if (hidden === null && !(await hide(removal, progress.signal))) return;
  await assertHiddenImage(removal);
  await freeBlocks(removal, progress);
}

/** @returns false if the file does not exist. @throws ApiError `image_unavailable` for another file */
async function hide(removal: Removal, signal: AbortSignal): Promise<boolean> {
  const [from, to] = [nameOf(removal), hiddenOf(removal)];
  const entry = await statEntry(from, removal.input.sourceName);
  if (entry === null || removal.input.file === null) return false;
  assertSameFile(entry, removal);
  signal.throwIfAborted();
  await rename(from, to);
  await assertHiddenImage(removal);
  await syncDirectory(removal.directory);
  return true;
}

/** Another file may have taken the name between stat and rename: it gets its name back. */
async function assertHiddenImage(removal: Removal): Promise<void> {
  const hidden = await statEntry(hiddenOf(removal), '');
  if (hidden?.inode === removal.input.file?.inode) return;
  if (hidden !== null) await unhide(removal);
  assertSameFile(hidden, removal);
}

function assertSameFile(entry: Entry | null, { input }: Removal): void {
  if (entry?.kind === 'file' && entry.inode === input.file?.inode) return;
  throw new ApiError('image_unavailable', {
    message: 'Another file has this name now, so it was not deleted.',
    hint: 'Rescan the pool.',
  });
}

/** Restores the name. @throws CopyError `exists` if another file has it now */
async function unhide(removal: Removal): Promise<void> {
  renameExclusively(hiddenOf(removal), nameOf(removal));
  await syncDirectory(removal.directory);
}

async function freeBlocks(
  removal: Removal,
  { signal, advance }: Pick<Progress, 'signal' | 'advance'>,
): Promise<void> {
  const path = hiddenOf(removal);
  const entry = await statEntry(path, '');
  if (entry === null) return;
  // A hard link keeps the blocks: another name uses the same bytes. A program that reads the file gets it to its end.
  if (entry.kind === 'file' && entry.links === 1 && isUnused(path)) {
    for (let left = entry.sizeBytes - stepBytes; left > 0; left -= stepBytes) {
      // A cancel is too late now. After a stop, the next start completes the deletion.
      if (signal.aborted && signal.reason === 'interrupted') signal.throwIfAborted();
      if (!(await shorten(path, left))) break;
      advance((removal.input.file?.sizeBytes ?? 0) - left);
    }
  }
  await unlink(path);
  await syncDirectory(removal.directory);
}

/** False if a program has the file open, or that is unknown. Its hidden name is opened by no other program later. */
function isUnused(path: string): boolean {
  try {
    return isOpenElsewhere(path) === false;
  } catch {
    return false; // not writable for this user, so it cannot be shortened either
  }
}

/** @returns false if this user may delete the file but not write to it */
async function shorten(path: string, length: number): Promise<boolean> {
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => null,
  );
  if (file === null) return false;
  try {
    await file.truncate(length);
    return true;
  } finally {
    await file.close();
  }
}

/** The state after a crash. Completes a deletion that had started to free blocks. */
export async function reconcileRemoval(removal: Removal): Promise<'published' | 'resumable' | 'nothing'> {
  const hidden = await statEntry(hiddenOf(removal), '');
  if (hidden !== null && !wasCut(hidden, removal.input)) return 'resumable';
  if (hidden !== null) {
    await freeBlocks(removal, { signal: new AbortController().signal, advance: () => {} });
    return 'published';
  }
  const entry = await statEntry(nameOf(removal), removal.input.sourceName);
  return removal.input.file !== null && entry?.inode === removal.input.file.inode ? 'nothing' : 'published';
}

/**
 * Whether the file is deleted, or can only be deleted: then this completes the deletion. Another file with its name does
 * not show what became of the file.
 */
export async function isRemoved(removal: Removal): Promise<boolean> {
  if (removal.input.file === null) return false;
  const named = await statEntry(nameOf(removal), removal.input.sourceName);
  return named === null && (await reconcileRemoval(removal)) === 'published';
}

/** Whether a deletion has begun to free the blocks of the hidden file. Any other hidden file must not be lost. */
function wasCut(hidden: Entry, { file }: DeleteInput): boolean {
  return file !== null && hidden.inode === file.inode && hidden.sizeBytes < file.sizeBytes;
}

/** After a cancel or a failure: restores the name of a file that is complete, or completes the deletion. */
export async function undoRemoval(removal: Removal): Promise<void> {
  const hidden = await statEntry(hiddenOf(removal), '');
  if (hidden === null) return;
  if (!wasCut(hidden, removal.input)) await unhide(removal);
  else await freeBlocks(removal, { signal: new AbortController().signal, advance: () => {} });
}
