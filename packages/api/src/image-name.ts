// Apart from the schemas: the console checks names while they are typed and must not carry zod for it.

/** Longest file name that Linux file systems take, in bytes of UTF-8. */
export const imageNameMaxBytes = 255;

export type ImageNameProblem =
  | 'empty'
  | 'too_long'
  | 'slash'
  | 'control_character'
  | 'leading_dot'
  | 'surrounding_space'
  | 'malformed_unicode';

/** Says what is wrong with an image name, or `null`. The name is the file's name in the pool, exactly. */
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
