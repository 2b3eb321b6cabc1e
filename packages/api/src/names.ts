// This file must not import zod, because the console checks names during typing without loading zod.

/** Longest file name of a Linux file system, in bytes of UTF-8. */
export const imageNameMaxBytes = 255;

export type ImageNameProblem =
  | 'empty'
  | 'too_long'
  | 'slash'
  | 'control_character'
  | 'leading_dot'
  | 'surrounding_space'
  | 'malformed_unicode';

/** The problem of an image name; null for a valid name. The name is exactly the file's name in the pool. */
export function findImageNameProblem(name: string): ImageNameProblem | null {
  if (name.length === 0) return 'empty';
  if (name.includes('/')) return 'slash';
  if (/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(name)) return 'control_character';
  if (/\p{Surrogate}/u.test(name)) return 'malformed_unicode';
  if (name.startsWith('.')) return 'leading_dot';
  if (name !== name.trim()) return 'surrounding_space';
  if (new TextEncoder().encode(name).length > imageNameMaxBytes) return 'too_long';
  return null;
}

/**
 * A letter or digit, then letters, digits, dot, underscore and hyphen; at most 63 characters. Safe in argv, paths
 * and XML.
 */
export const machineNamePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isMachineName(text: string): boolean {
  return machineNamePattern.test(text);
}
