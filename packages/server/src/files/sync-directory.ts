import { open } from 'node:fs/promises';

/** Makes the names in a directory durable: what was linked, renamed or removed stays so after a power loss. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
