import { open } from 'node:fs/promises';

/** Makes the names in a directory durable: earlier creations, renames and removals survive a power cut. */
export async function syncDirectory(directory: string | Uint8Array): Promise<void> {
  const handle = await open(Buffer.from(directory), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
