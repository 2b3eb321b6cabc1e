import { unlinkSync } from 'node:fs';

/** Removes a file; ignores every failure, so that it never hides the error that led here. */
export function removeFile(path: Buffer): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}
