import { closeSync, constants, fsyncSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { systemCode } from '../kernel/errno.ts';

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
const oldFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads a small hidden file, at most `maxBytes`. Null if there is none, or a symlink has its name. */
export function readHiddenFile(path: Buffer, maxBytes: number): string | null {
  let fd: number;
  try {
    fd = openSync(path, oldFile);
  } catch (error) {
    if (['ENOENT', 'ELOOP'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(maxBytes);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** A small hidden file, and the name under which its next content is written. */
export interface HiddenFile {
  path: Buffer;
  temporary: Buffer;
  /** The open directory of both. */
  directoryFd: number;
}

/**
 * Replaces a hidden file atomically: temporary file, fsync, rename, fsync of the directory. Without the last step, a
 * power cut could bring back earlier content. Without `durable`, there is no fsync.
 */
export function replaceHiddenFile(
  { path, temporary, directoryFd }: HiddenFile,
  text: string,
  durable: boolean,
): void {
  const fd = openSync(temporary, newFile, 0o600);
  try {
    // It writes all bytes or throws: content that is cut must not replace a good one.
    writeFileSync(fd, text);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  if (durable) fsyncSync(directoryFd);
}
