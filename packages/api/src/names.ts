// This file must not import zod, because the console checks names during typing without loading zod.

/** Longest file name of a Linux file system, in bytes of UTF-8. */
export const imageNameMaxBytes = 255;

export type ImageNameProblem =
  | 'empty'
  | 'too_long'
  | 'slash'
  | 'control_character'
  | 'invisible_character'
  | 'leading_dot'
  | 'surrounding_space'
  | 'malformed_unicode';

const controls = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
/** Format characters, other characters without a shape, and the blank braille pattern. */
const invisible = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;
const notVisible = new RegExp(`${controls.source}|${invisible.source}|\\p{Surrogate}`, 'gu');

/** The problem of the name of a new image; null for a valid name. The name is exactly the file's name in the pool. */
export function findImageNameProblem(name: string): ImageNameProblem | null {
  return findFileNameProblem(name) ?? (invisible.test(name) ? 'invisible_character' : null);
}

/** The problem of the name of an existing image. Releases before 0.2.0 accepted invisible characters. */
export function findFileNameProblem(name: string): ImageNameProblem | null {
  if (name.length === 0) return 'empty';
  if (name.includes('/')) return 'slash';
  if (controls.test(name)) return 'control_character';
  if (/\p{Surrogate}/u.test(name)) return 'malformed_unicode';
  if (name.startsWith('.')) return 'leading_dot';
  if (name !== name.trim()) return 'surrounding_space';
  if (new TextEncoder().encode(name).length > imageNameMaxBytes) return 'too_long';
  return null;
}

/** Whether every character of a text has a shape or is a plain space, so the text is one line and shows all it holds. */
export function isVisible(text: string): boolean {
  return text.search(notVisible) < 0;
}

/** Writes characters that cannot be seen as `\u{200b}`, for names that older releases or other programs made. */
export function escapeInvisible(text: string): string {
  return text.replaceAll(notVisible, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Whether two names are the same text, in any Unicode spelling (NFC, NFD). */
export function isSameName(one: string, other: string): boolean {
  return one.normalize('NFC') === other.normalize('NFC');
}

/**
 * Two names with the same skeleton look alike. It is the name in NFKC, without invisible characters, where letters of
 * other scripts that look like a Latin letter are that letter. Upper and lower case, and `0 O`, `1 l I`, stay apart.
 */
export function nameSkeleton(name: string): string {
  // A pool has thousands of names, and most are plain.
  if (/^[ -~]*$/.test(name)) return name;
  const shown = name.normalize('NFKD').replaceAll(notVisible, '');
  return Array.from(shown, (character) => lookAlikes.get(character) ?? character)
    .join('')
    .normalize('NFC');
}

/** Rows of: characters that look alike, the plain one first. A selection of the confusables of Unicode (UTS 39). */
const lookAlikeRows = [
  'a\u0430\u0251\u03b1',
  'c\u0441\u03f2',
  'd\u0501',
  'e\u0435',
  'g\u0261',
  'h\u04bb',
  'i\u0456\u0131\u03b9',
  'j\u0458\u03f3',
  'k\u043a\u03ba',
  'l\u04cf',
  'o\u043e\u03bf\u0585',
  'p\u0440\u03c1',
  'q\u051b',
  's\u0455',
  'u\u057d\u03c5',
  'v\u03bd\u0475',
  'w\u051d\u0461',
  'x\u0445\u03c7',
  'y\u0443\u04af\u03b3',
  'A\u0410\u0391',
  'B\u0412\u0392',
  'C\u0421\u03f9',
  'E\u0415\u0395',
  'H\u041d\u0397',
  'I\u0406\u0399\u04c0',
  'J\u0408',
  'K\u041a\u039a',
  'M\u041c\u039c',
  'N\u039d',
  'O\u041e\u039f\u0555',
  'P\u0420\u03a1',
  'S\u0405',
  'T\u0422\u03a4',
  'X\u0425\u03a7',
  'Y\u04ae\u03a5',
  'Z\u0396',
  '-\u2010\u2012\u2013\u2014\u2212',
  "'\u2018\u2019\u02bc",
  '_\u02cd',
];
const lookAlikes: ReadonlyMap<string, string> = new Map(
  lookAlikeRows.flatMap(([plain = '', ...others]) => others.map((other) => [other, plain] as const)),
);

/** Names in the audit record that belong to no user. New users cannot have them. */
const reservedUserNames: ReadonlySet<string> = new Set(['admin-token', 'wcc', 'share', 'unknown']);

export function isReservedUserName(name: string): boolean {
  return reservedUserNames.has(name);
}

/**
 * A letter or digit, then letters, digits, dot, underscore and hyphen; at most 63 characters. Safe in argv, paths
 * and XML.
 */
export const machineNamePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isMachineName(text: string): boolean {
  return machineNamePattern.test(text);
}

/** Longest label of a host name (RFC 1123, 2.1; RFC 1035, 2.3.4). */
const maxLabelLength = 63;
const hostLabel = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';

/**
 * A host name of RFC 1123: labels of letters, digits and inner hyphens. The last label is not a number, because
 * programs take such a name for an IP address.
 */
export const hostNamePattern: RegExp = new RegExp(
  `^(?=.{1,253}$)(?!(?:.*\\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)$)${hostLabel}(?:\\.${hostLabel})*$`,
);

export function isHostName(text: string): boolean {
  return hostNamePattern.test(text);
}

/**
 * The host name that belongs to the name of a machine: the same name where that is a host name. Otherwise each
 * character that a host name cannot have is a hyphen, and labels lose hyphens at their ends. A name that looks like
 * an IP address becomes one label: `10.0.0.7` is `10-0-0-7`, and `10` is `vm-10`.
 */
export function hostNameOf(machineName: string): string {
  const labels = machineName
    .split('.')
    .map((label) => trimHyphens(label.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, maxLabelLength)))
    .filter((label) => label !== '');
  const name = labels.join('.');
  if (isHostName(name)) return name;
  const single = labels.join('-').slice(0, maxLabelLength);
  if (isHostName(trimHyphens(single))) return trimHyphens(single);
  return trimHyphens(`vm-${single}`.slice(0, maxLabelLength));
}

function trimHyphens(label: string): string {
  return label.replaceAll(/^-+|-+$/g, '');
}
