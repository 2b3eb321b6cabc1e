import { closeSync, constants, copyFileSync, openSync, statSync, writeSync } from 'node:fs';
import { openSource } from '../run/source.ts';
import type { CanCloneRequest } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { removeFile } from '../storage/remove-file.ts';
import { hiddenPaths, showPath } from '../storage/paths.ts';

const newFile = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A file without a name, which nothing has to remove. Node has no constant for it. */
const namelessFile = constants.O_RDWR | constants.O_DIRECTORY | 0o20000000;

/** Runs `canClone` on the worker thread. */
export function canCloneSync({ source, directory, id }: CanCloneRequest): boolean {
  const { fd: sourceFd, stat } = openSource(source);
  const { partial } = hiddenPaths(directory, id);
  try {
    const { fd, isNamed } = openProbe(directory, partial);
    try {
      const block = Number(stat.blksize);
      const lengthBytes = stat.size < BigInt(block) ? Number(stat.size) : block;
      return tryShare(
        { sourceFd, fd, lengthBytes },
        { partial, isSameDevice: deviceOf(directory) === stat.dev },
      );
    } finally {
      closeSync(fd);
      if (isNamed) removeFile(partial);
    }
  } catch (error) {
    throw toCopyError(error, { path: showPath(directory) });
  } finally {
    closeSync(sourceFd);
  }
}

/** Some file systems have only named files, and the way without kernel calls clones by name. */
function openProbe(directory: Uint8Array, partial: Buffer): { fd: number; isNamed: boolean } {
  if (loadKernel() !== null) {
    try {
      return { fd: openSync(Buffer.from(directory), namelessFile, 0o600), isNamed: false };
    } catch {
      // A named file has the better error.
    }
  }
  return { fd: openSync(partial, newFile, 0o600), isNamed: true };
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
