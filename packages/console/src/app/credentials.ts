/** What the server decides as well; asked here first to save a round trip. */

const userNamePattern = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const minPasswordLength = 10;

export function isUserName(text: string): boolean {
  return userNamePattern.test(text);
}

export function isLongEnough(password: string): boolean {
  return password.length >= minPasswordLength;
}

/** A name that every Linux takes for a login. */
export function isLoginName(text: string): boolean {
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(text);
}

/** One line of an `authorized_keys` file, as far as its form can tell. */
export function isSshKey(line: string): boolean {
  return /^[a-z0-9@.-]+ [A-Za-z0-9+/=]{16,}( .*)?$/.test(line) && line.length <= 8192;
}

export function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

// 32 characters that nobody takes for one another, so that each is five whole random bits.
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789-';
const length = 20;

/** A password of nearly 100 random bits, to be handed over. */
export function generatePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  const password = Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
  // At an end a hyphen gets lost when it is copied by a double click, or read aloud.
  return /^-|-$|--/.test(password) ? generatePassword() : password;
}
