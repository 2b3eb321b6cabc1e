import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import type { PublishRequest, PublishResult } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { renameIntoPlace } from './rename-into-place.ts';
import { removeFile } from '../storage/remove-file.ts';
import { replaceSidecar } from '../resume/sidecar.ts';
import { hiddenPaths, showPath, splitPath } from '../storage/paths.ts';

/** Publishes a received file as a copy does: sidecar with the phase `publishing`, rename, fsync of the directory. */
export function publishSync({ destination, checkpoint }: PublishRequest): PublishResult {
  const { directory } = splitPath(destination);
  const paths = hiddenPaths(directory, checkpoint.operation);
  const warnings: string[] = [];
  try {
    const directoryFd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      replaceSidecar({ paths, directoryFd }, checkpoint);
      renameIntoPlace({
        paths,
        request: { destination, overwrite: false },
        kernel: loadKernel(),
        warnings,
      });
      fsyncSync(directoryFd);
    } finally {
      closeSync(directoryFd);
    }
  } catch (error) {
    removeFile(paths.sidecarTemporary);
    throw toCopyError(error, { path: showPath(destination) });
  }
  return { warnings };
}
