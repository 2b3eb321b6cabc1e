import { mkdir, open, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing } from '../../files/errors.ts';
import type { SeedContents } from './cloud-config.ts';
import { seedFiles } from './cloud-config.ts';
import { writeVolume } from './iso9660.ts';

/**
 * Files with first-boot data of machines. They are in the data directory, and only the server's user can read them.
 */
export interface Seeds {
  pathOf(uuid: string): string;
  /** @throws the reason of `signal` when it aborts before the rename */
  write(uuid: string, contents: SeedContents, options?: { signal?: AbortSignal }): Promise<void>;
  /** Ignores a missing file. */
  remove(uuid: string): Promise<void>;
}

export function createSeeds(dataDir: string): Seeds {
  const directory = join(dataDir, 'seeds');
  const pathOf = (uuid: string): string => join(directory, `${uuid}.iso`);
  return {
    pathOf,
    async write(uuid, contents, { signal } = {}) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const temporary = `${pathOf(uuid)}.tmp`;
      await removeFile(temporary);
      const file = await open(temporary, 'wx', 0o600);
      try {
        await writeFile(file, writeVolume('cidata', seedFiles(contents)));
        await file.sync();
      } finally {
        await file.close();
      }
      signal?.throwIfAborted();
      await rename(temporary, pathOf(uuid));
    },
    async remove(uuid) {
      await removeFile(pathOf(uuid));
      await removeFile(`${pathOf(uuid)}.tmp`);
    },
  };
}

async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ignoreMissing);
}
