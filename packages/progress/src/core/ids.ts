const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const ID_BYTES = 16;
const BITS_PER_CHARACTER = 5;

// 128 bits leave 3 for the 26th character, hence the eight letters it can be.
const OPERATION_ID = /^[a-z2-7]{25}[aeimquy4]$/;

/** RFC 4648 base32 without padding, in lower case: safe in URLs, file names and subprotocols. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= BITS_PER_CHARACTER) {
      bits -= BITS_PER_CHARACTER;
      text += ALPHABET.charAt((held >>> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (BITS_PER_CHARACTER - bits)) & 31);
}

/**
 * Makes the id of an operation: 128 random bits as 26 characters of lower-case base32.
 *
 * @param random source of cryptographically strong bytes, e.g. `randomBytes` of `node:crypto`
 */
export function createOperationId(random: (bytes: number) => Uint8Array): string {
  return base32(random(ID_BYTES));
}

export function isOperationId(text: string): boolean {
  return OPERATION_ID.test(text);
}

/** `copy_vm_image_100`: for people and logs. Confers no right and is never a key. */
export const label = (action: string, subjectNumber: number | string): string => `${action}_${subjectNumber}`;
