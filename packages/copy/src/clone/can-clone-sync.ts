import { closeSync, constants, copyFileSync, openSync, statSync, writeSync } from 'node:fs';
import { openSource } from '../run/source.ts';
import type { CanCloneRequest } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { removeFile } from '../storage/remove-file.ts';
import { hiddenPaths, showPath } from '../storage/paths.ts';

const newFile = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Runs `canClone` on the worker thread. */
export function canCloneSync({ source, directory, id }: CanCloneRequest): boolean {
  const { fd: sourceFd, stat } = openSource(source);
  const { partial } = hiddenPaths(directory, id);
  try {
    const fd = openSync(partial, newFile, 0o600);
    try {
      const block = Number(stat.blksize);
      const lengthBytes = stat.size < BigInt(block) ? Number(stat.size) : block;
      return tryShare(
        { sourceFd, fd, lengthBytes },
        { partial, isSameDevice: deviceOf(directory) === stat.dev },
      );
    } finally {
      closeSync(fd);
      removeFile(partial);
    }
  } catch (error) {
    throw toCopyError(error, { path: showPath(directory) });
  } finally {
    closeSync(sourceFd);
  }
}

function deviceOf(directory: Uint8Array): bigint {
  return statSync(Buffer.from(directory), { bigint: true }).dev;
}

function tryShare(
  files: { sourceFd: number; fd: number; lengthBytes: number },
  place: { partial: Buffer; isSameDevice: boolean },
): boolean {
  const kernel = loadKernel();
  try {
    if (kernel !== null) {
      kernel.cloneRange(files.sourceFd, { fd: files.fd, offset: 0n, lengthBytes: files.lengthBytes });
      return true;
    }
    return place.isSameDevice && canCloneTiny(files.fd, place.partial);
  } catch {
    return false; // any error means that blocks cannot be shared
  }
}

/** Clones a file of one byte on the same device, because Node can only clone whole files. */
function canCloneTiny(fd: number, partial: Buffer): boolean {
  writeSync(fd, Buffer.alloc(1));
  const second = Buffer.concat([partial.subarray(0, -'.partial'.length), Buffer.from('2.partial')]);
  try {
    copyFileSync(partial, second, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } finally {
    removeFile(second);
  }
}
