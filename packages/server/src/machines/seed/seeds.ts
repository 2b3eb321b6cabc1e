import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { inDataDirectory } from '../../files/data-directory.ts';
import { ignoreMissing } from '../../files/errors.ts';
import { makePrivateDirectory, replaceFile } from '../../files/replace-file.ts';
import type { SeedContents } from './cloud-config.ts';
import { seedFiles } from './cloud-config.ts';
import { writeVolume } from './iso9660.ts';

/**
 * Files with first-boot data of machines. They are in the data directory, and only the server's user can read them.
 */
export interface Seeds {
  pathOf(uuid: string): string;
  /** Durable when this resolves. @throws the reason of `signal` when it aborts before the rename */
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
      const volume = writeVolume('cidata', seedFiles(contents));
      await inDataDirectory(async () => {
        await makePrivateDirectory(directory);
        await replaceFile(pathOf(uuid), volume, { signal });
      });
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
