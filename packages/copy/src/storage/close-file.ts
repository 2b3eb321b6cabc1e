import { closeSync } from 'node:fs';

/**
 * Closes a descriptor; ignores a failure. Use it where no written byte depends on it: the file was only read, or is
 * flushed already. An error of `close` must not replace the result of work that is complete.
 */
export function closeFile(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Linux has released the descriptor anyway
  }
}
