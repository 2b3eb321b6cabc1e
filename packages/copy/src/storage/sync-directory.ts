import { open } from 'node:fs/promises';

/** Makes the names in a directory durable: what was created, renamed or removed stays so after a power cut. */
export async function syncDirectory(directory: string | Uint8Array): Promise<void> {
  const handle = await open(Buffer.from(directory), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
