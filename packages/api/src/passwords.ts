// This file must not import zod, because the console checks passwords without loading zod.

import { isVisible } from './names.ts';

export const passwordMinLength = 10;
export const passwordMaxLength = 1024;

export type PasswordProblem = 'too_short' | 'too_long' | 'blank' | 'repeated' | 'own_name' | 'common';

/** The messages of the API. The console has its own, in both languages. */
export const passwordProblemMessages: Readonly<Record<PasswordProblem, string>> = {
  too_short: 'Use at least 10 characters.',
  too_long: 'Use at most 1,024 characters.',
  blank: 'Use characters that can be seen, not only spaces.',
  repeated: 'This password repeats one part. Use different words or characters.',
  own_name: 'This password is the name of the user. Use something else.',
  common:
    'This password is one of the first that attackers try. Use several words that do not belong together.',
};

/** Words that people use with digits or signs around them; without digits and signs, in lower case. */
const commonWords: ReadonlySet<string> = new Set(
  `password passwort passord motdepasse contrasena senha parola pass passphrase passcode admin administrator root
  user guest test testing tester default changeme changethis secret topsecret letmein welcome hello helloworld login
  access master system server computer internet manager support service operator temp temporary demo example sample
  qwerty qwertyui qwertyuiop qwertz qwertzuiop azerty azertyuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc
  iloveyou loveyou trustno princess sunshine football baseball basketball superman batman starwars dragon monkey shadow
  michael jordan charlie daniel jennifer jessica whatever freedom mustang killer pokemon google facebook samsung apple
  summer winter spring autumn monday friday january december tokyo sakura nihongo himitsu doraemon
  wcc libvirt qemu proxmox openstack debian ubuntu linux hypervisor virtualmachine`.split(/\s+/),
);

const commonPasswords: ReadonlySet<string> = new Set(
  `1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4t5 q1w2e3r4t5y6 1qaz2wsx3edc 1qaz2wsx3edc4rfv zaq12wsxcde3 zaq1xsw2cde3 qwer1234asdf
  1qazxsw23edc asdf1234qwer a1b2c3d4e5 a1b2c3d4e5f6 abc1234567 abcd123456 abcd1234567 abc123456789 a123456789 aa12345678
  123456789a 1234567890a 123456789q 1234567891 12345678910 123456789012 1029384756 0192837465 1122334455 112233445566
  11223344556677 1472583690 147258369 1357924680 2468013579 3141592653 31415926535 5432112345 p@ssw0rd123 pa55word123`.split(
    /\s+/,
  ),
);

/** Rows of keyboards and of the alphabet; a part of one, in either direction, is common. */
const rows: readonly string[] = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
].flatMap((row) => [row, Array.from(row).toReversed().join('')]);

/** A text that consists of copies of one part occurs in its own double before the middle. */
function isRepetition(text: string): boolean {
  return (text + text).indexOf(text, 1) < text.length;
}

/** The problem of a new password; null for a good one. Stored passwords are never checked again. */
export function findPasswordProblem(password: string, userName = ''): PasswordProblem | null {
  if (password.length < passwordMinLength) return 'too_short';
  if (password.length > passwordMaxLength) return 'too_long';
  const seen = password.replaceAll(/\s/gu, '');
  if (!Array.from(seen).some(isVisible)) return 'blank';
  const lower = password.toLowerCase();
  if (isRepetition(lower)) return 'repeated';
  if (userName !== '' && lettersOf(lower) === lettersOf(userName.toLowerCase())) return 'own_name';
  return isCommon(lower) ? 'common' : null;
}

function isCommon(lower: string): boolean {
  if (commonPasswords.has(lower) || rows.some((row) => row.includes(lower))) return true;
  const plain = lower
    .replace(/\P{L}+$/u, '')
    .replaceAll(/[@4]/g, 'a')
    .replaceAll('3', 'e')
    .replaceAll('0', 'o')
    .replaceAll(/[$5]/g, 's')
    .replaceAll(/[!1]/g, 'i');
  return commonWords.has(lettersOf(lower)) || commonWords.has(lettersOf(plain));
}

/** The letters of all scripts; the digits if there is no letter. */
function lettersOf(text: string): string {
  const letters = text.replaceAll(/\P{L}/gu, '');
  return letters === '' ? text : letters;
}
