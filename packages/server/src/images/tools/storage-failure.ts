import type { ErrorCode } from '@wcc/api';

/** Texts of strerror(3) for failures of the storage. */
const storageTexts: readonly (readonly [text: string, code: ErrorCode])[] = [
  ['No space left on device', 'no_space'],
  ['Disk quota exceeded', 'quota'],
  ['File too large', 'too_large'],
  ['Input/output error', 'io_error'],
  ['Stale file handle', 'io_error'],
  ['Structure needs cleaning', 'io_error'],
  ['Read-only file system', 'read_only'],
  ['Too many open files', 'resources'],
  ['Cannot allocate memory', 'resources'],
  ['Device or resource busy', 'busy'],
];

/** The failure of the storage that a program names in its output; null if it names none. */
export function storageFailureOf(stderr: string): ErrorCode | null {
  return storageTexts.find(([text]) => stderr.includes(text))?.[1] ?? null;
}

/**
 * Whether a program has written what it should. QEMU reports a flush that failed at the end of a qcow2 image, and exits
 * with 0: then tables are missing, and the image reads as zeros there.
 */
export function hasWritten({ code, stderr }: { code: number | null; stderr: string }): boolean {
  return code === 0 && storageFailureOf(stderr) === null;
}
