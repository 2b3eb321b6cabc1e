import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The files of an interrupted download: `FILE.part`, and a note with the ETag of its image version. */
export interface Partial {
  path: string;
  notePath: string;
}

/** The partial files for a target file. */
export function partialOf(target: string): Partial {
  return { path: `${target}.part`, notePath: `${target}.part.etag` };
}

/** Size and ETag of the partial file; null if there is none to resume. */
export async function readPartial({
  path,
  notePath,
}: Partial): Promise<{ offsetBytes: number; etag: string } | null> {
  try {
    const [{ size }, etag] = await Promise.all([stat(path), readFile(notePath, 'utf8')]);
    return size > 0 && etag !== '' ? { offsetBytes: size, etag } : null;
  } catch {
    return null;
  }
}

/** Creates the partial file. Writes the note first, because bytes of an unknown image version cannot be resumed. */
export async function beginPartial({ path, notePath }: Partial, etag: string): Promise<FileHandle> {
  await rm(path, { force: true });
  await writeFile(notePath, etag);
  return open(path, 'w+');
}

/** Opens the existing partial file. */
export async function reopenPartial({ path }: Partial): Promise<FileHandle> {
  return open(path, 'r+');
}

/** Renames the partial file to its final name, durably. */
export async function publishPartial({ path, notePath }: Partial, target: string): Promise<void> {
  await rename(path, target);
  await rm(notePath, { force: true });
  const directory = await open(dirname(target), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
