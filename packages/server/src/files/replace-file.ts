import { syncDirectory } from '@wcc/copy/receive';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ignoreMissing } from './errors.ts';

/**
 * Writes a file that only the server's user can read. When this resolves, it survives a power cut; before, the path has
 * the earlier file or none.
 *
 * @throws the reason of `signal` when it aborts before the rename
 */
export async function replaceFile(
  path: string,
  contents: string | Uint8Array,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const temporary = `${path}.tmp`;
  await unlink(temporary).catch(ignoreMissing);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(contents);
    await file.sync();
  } finally {
    await file.close();
  }
  signal?.throwIfAborted();
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Creates a directory and the missing ones above it, durably. Only the server's user can enter them. */
export async function makePrivateDirectory(path: string): Promise<void> {
  const created = await mkdir(path, { recursive: true, mode: 0o700 });
  if (created === undefined) return;
  for (let at = path; at.length >= created.length; at = dirname(at)) await syncDirectory(dirname(at));
}
