import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import type { PublishRequest, PublishResult } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { giveName } from './give-name.ts';
import { removeFile } from '../storage/remove-file.ts';
import { replaceSidecar } from '../resume/sidecar.ts';
import { remainPaths, showPath, splitPath } from '../storage/paths.ts';

/** The same steps as those of a copy: the sidecar says `publishing`, the rename, the directory to the storage. */
export function publishHere({ destination, checkpoint }: PublishRequest): PublishResult {
  const { directory } = splitPath(destination);
  const remains = remainPaths(directory, checkpoint.operation);
  const warnings: string[] = [];
  try {
    const directoryFd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      replaceSidecar({ remains, directoryFd }, checkpoint);
      giveName({ remains, request: { destination, overwrite: false }, kernel: loadKernel(), warnings });
      fsyncSync(directoryFd);
    } finally {
      closeSync(directoryFd);
    }
  } catch (error) {
    removeFile(remains.sidecarTemporary);
    throw toCopyError(error, { path: showPath(destination) });
  }
  return { warnings };
}
