import { constants, fsyncSync, openSync, unlinkSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { PublishRequest, PublishResult } from '../contract/messages.ts';
import { statIfExists } from '../inspect/inspect.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { renameExclusively } from '../storage/rename-exclusively.ts';
import { removeFile } from '../storage/remove-file.ts';
import { readSidecar, replaceSidecar } from '../resume/sidecar.ts';
import { closeFile } from '../storage/close-file.ts';
import { heldPath } from '../storage/held-directory.ts';
import { hiddenPaths, joinPath, showPath, splitPath } from '../storage/paths.ts';

/** Publishes a received file as a copy does: sidecar with the phase `publishing`, rename, fsync of the directory. */
export function publishSync(request: PublishRequest): PublishResult {
  const { directory } = splitPath(request.destination);
  let directoryFd: number | null = null;
  try {
    directoryFd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    return publishIn({ directoryFd, directory: heldPath(directoryFd, directory) }, request);
  } catch (error) {
    throw toCopyError(error, { path: showPath(request.destination) });
  } finally {
    if (directoryFd !== null) closeFile(directoryFd);
  }
}

function publishIn(
  { directoryFd, directory }: { directoryFd: number; directory: Buffer },
  { destination, id }: PublishRequest,
): PublishResult {
  const { name } = splitPath(destination);
  const paths = { ...hiddenPaths(directory, id), target: joinPath(directory, name) };
  const warnings: string[] = [];
  const { checkpoint } = readSidecar(paths.sidecar);
  if (checkpoint?.operation !== id)
    throw new CopyError('not_found', { path: showPath(destination), detail: 'no checkpoint' });
  try {
    const partial = statIfExists(paths.partial);
    if (partial !== null && String(partial.ino) !== checkpoint.partialInode)
      throw new CopyError('destination_changed', {
        path: showPath(destination),
        detail: 'the partial was replaced',
      });
    replaceSidecar({ paths, directoryFd }, { ...checkpoint, phase: 'publishing' });
    const inode = BigInt(checkpoint.partialInode);
    const names = { from: paths.partial, to: paths.target };
    const how = renameExclusively({ ...names, kernel: loadKernel(), warnings, inode });
    if (how === 'linked') unlinkSync(paths.partial);
    fsyncSync(directoryFd);
  } catch (error) {
    removeFile(paths.sidecarTemporary);
    throw error;
  }
  return { warnings };
}
