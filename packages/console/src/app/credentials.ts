/** What the server decides as well; asked here first to save a round trip. */

const userNamePattern = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const minPasswordLength = 10;

export function isUserName(text: string): boolean {
  return userNamePattern.test(text);
}

export function isLongEnough(password: string): boolean {
  return password.length >= minPasswordLength;
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
