import { syncDirectory } from '@wcc/copy/receive';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inDataDirectory } from '../../../files/data-directory.ts';
import { ignoreMissing } from '../../../files/errors.ts';
import { makePrivateDirectory, replaceFile } from '../../../files/replace-file.ts';
import type { MachineSpec } from '../machine-spec.ts';
import type { StoredSpec } from '../machine-spec.ts';
import { isUuid, restoreSpec } from '../machine-spec.ts';

/** A machine as stored on the disk. */
export interface Definition {
  readonly spec: MachineSpec;
  /** Fixed when the machine was created, e.g. `pc-q35-7.2`. */
  readonly machineType: string;
}

/**
 * The machines of the driver. Each has a directory, named by its UUID, with a `machine.json` in it. A directory
 * without that file is an orphan: the process crashed during creation or removal.
 */
export interface Definitions {
  directory(uuid: string): string;
  /** UUIDs of all machines. */
  list(): Promise<string[]>;
  read(uuid: string): Promise<Definition | null>;
  /** Durable when this resolves. */
  write(definition: Definition): Promise<void>;
  /** Durably removed when this resolves. */
  remove(uuid: string): Promise<void>;
  /** Directories without a definition. */
  orphanDirectories(): Promise<string[]>;
}

const fileName = 'machine.json';

export function createDefinitions(root: string): Definitions {
  const directory = (uuid: string): string => join(root, uuid);
  const read = async (uuid: string): Promise<Definition | null> => {
    if (!isUuid(uuid)) return null;
    const text = await readFile(join(directory(uuid), fileName), 'utf8').catch(ignoreMissing);
    if (text === undefined) return null;
    const stored = JSON.parse(text) as Definition & { spec: StoredSpec };
    return { ...stored, spec: restoreSpec(stored.spec) };
  };
  const directories = async (): Promise<string[]> => {
    const names = await readdir(root).catch(ignoreMissing);
    return (names ?? []).filter(isUuid);
  };
  const sort = async (): Promise<{ machines: string[]; orphans: string[] }> => {
    const machines: string[] = [];
    const orphans: string[] = [];
    for (const uuid of await directories()) ((await read(uuid)) ? machines : orphans).push(uuid);
    return { machines, orphans };
  };
  return {
    directory,
    read,
    list: async () => (await sort()).machines,
    orphanDirectories: async () => (await sort()).orphans,
    async write(definition) {
      const path = directory(definition.spec.uuid);
      await inDataDirectory(async () => {
        await makePrivateDirectory(path);
        await replaceFile(join(path, fileName), JSON.stringify(definition, null, 2));
      });
    },
    async remove(uuid) {
      await rm(join(directory(uuid), fileName), { force: true });
      await syncDirectory(directory(uuid)).catch(ignoreMissing);
      await rm(directory(uuid), { recursive: true, force: true });
    },
  };
}
