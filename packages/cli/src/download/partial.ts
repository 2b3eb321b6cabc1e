import { createHash } from 'node:crypto';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The files of an interrupted download: `FILE.part`, and a note with the ETag of its image version. */
export interface Partial {
  path: string;
  notePath: string;
}

/** The longest name of a file on Linux, in bytes. */
const maxNameBytes = 255;
const keptUnits = 40;

/** The partial files for a target file. A name without room for the endings becomes a shorter one with its digest. */
export function partialOf(target: string): Partial {
  const [directory, name] = [dirname(target), basename(target)];
  const isTooLong = Buffer.byteLength(`${name}.part.etag`) > maxNameBytes;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  const short = isTooLong
    ? join(directory, `${Array.from(name).slice(0, keptUnits).join('')}-${digest}`)
    : target;
  return { path: `${short}.part`, notePath: `${short}.part.etag` };
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
