/** What the server decides as well; asked here first to save a round trip. */

const NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const SHORTEST = 10;

export function isUserName(text: string): boolean {
  return NAME.test(text);
}

export function isLongEnough(password: string): boolean {
  return password.length >= SHORTEST;
}

// 32 characters that nobody takes for one another, so that each is five whole random bits.
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789-';
const LENGTH = 20;

/** A password of nearly 100 random bits, to be handed over. */
export function generatePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));
  const password = Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  // At an end a hyphen gets lost when it is copied by a double click, or read aloud.
  return /^-|-$|--/.test(password) ? generatePassword() : password;
}
