import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { emptyTotals } from '../contract/tree.ts';
import type { TreeStep } from '../contract/tree.ts';
import { runInWorker } from '../job/pool.ts';
import { toCopyError } from '../kernel/errno.ts';
import { joinPath, showPath } from '../storage/paths.ts';
import { stagingName } from './context.ts';
import { planTree } from './tree-options.ts';
import { createTreeMonitor } from './tree-progress.ts';
import { createTreeRequest } from './tree-request.ts';

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY;

/** Bytes that the staging directory of a tree occupies. */
export async function measureStaging(directory: Buffer, id: string): Promise<number> {
  return await runOnStaging(directory, id, 'measure');
}

/** Removes the staging directory of a tree, and its sidecar. Follows no symlink in it. */
export async function removeStaging(directory: Buffer, id: string): Promise<void> {
  await runOnStaging(directory, id, 'discard');
}

async function runOnStaging(directory: Buffer, id: string, step: TreeStep): Promise<number> {
  const name = stagingName(id);
  const path = joinPath(directory, name);
  const handles: FileHandle[] = [];
  const openHere = async (each: Buffer, flags: number): Promise<number> => {
    const handle = await open(each, directoryFlags | flags);
    handles.push(handle);
    return handle.fd;
  };
  try {
    const parent = { fd: await openHere(directory, 0), path: directory };
    const staging = { fd: await openHere(path, constants.O_NOFOLLOW), name, isNew: false };
    const roots = { source: { fd: staging.fd, path }, parent, staging, destination: { path, name: null } };
    const plan = planTree({ source: path, destination: path }, { id });
    const fields = { roots, shard: 0, resumed: false, totals: emptyTotals() };
    const request = createTreeRequest(plan, { step, monitor: createTreeMonitor(1), ...fields });
    return (await runInWorker(request)).totals.allocatedBytes;
  } catch (error) {
    throw toCopyError(error, { path: showPath(path) });
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
}
