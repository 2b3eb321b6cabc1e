import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What is there of an earlier try: `FILE.part`, and beside it which version of which image it is of. */
export interface Partial {
  path: string;
  notePath: string;
}

export function partialOf(target: string): Partial {
  return { path: `${target}.part`, notePath: `${target}.part.etag` };
}

/** From where to go on: how long the partial is and what it is of; null when there is nothing to go on from. */
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

/** Opens it anew, with the note before the first byte: bytes of an unknown version are worth nothing. */
export async function beginPartial({ path, notePath }: Partial, etag: string): Promise<FileHandle> {
  await rm(path, { force: true });
  await writeFile(notePath, etag);
  return open(path, 'w+');
}

export async function reopenPartial({ path }: Partial): Promise<FileHandle> {
  return open(path, 'r+');
}

/** Under its name, and durably so. */
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
