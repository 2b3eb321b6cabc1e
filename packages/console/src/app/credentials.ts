/** The server repeats these checks. Checking here saves a round trip. */

const userNamePattern = /^[a-z0-9][a-z0-9._-]{0,31}$/;

export function isUserName(text: string): boolean {
  return userNamePattern.test(text);
}

/** A login name that every Linux accepts. */
export function isLoginName(text: string): boolean {
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(text);
}

/** Whether a line has the form of an `authorized_keys` entry. */
export function isSshKey(line: string): boolean {
  return /^[a-z0-9@.-]+ [A-Za-z0-9+/=]{16,}( .*)?$/.test(line) && line.length <= 8192;
}

export function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

// 32 characters that are easy to distinguish. Each one holds five random bits.
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789-';
const length = 20;

/** A password of nearly 100 random bits. */
export function generatePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  const password = Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
  // No hyphen at either end, because a double click does not select it and a reader may skip it.
  return /^-|-$|--/.test(password) ? generatePassword() : password;
}
