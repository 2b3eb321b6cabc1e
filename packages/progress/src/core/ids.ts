const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const idBytes = 16;
const bitsPerCharacter = 5;

// 128 bits leave 3 for the 26th character, hence the eight letters it can be.
const operationId = /^[a-z2-7]{25}[aeimquy4]$/;

/** RFC 4648 base32 without padding, in lower case: safe in URLs, file names and subprotocols. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= bitsPerCharacter) {
      bits -= bitsPerCharacter;
      text += alphabet.charAt((held >>> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet.charAt((held << (bitsPerCharacter - bits)) & 31);
}

/**
 * Makes the id of an operation: 128 random bits as 26 characters of lower-case base32.
 *
 * @param random source of cryptographically strong bytes, e.g. `randomBytes` of `node:crypto`
 */
export function createOperationId(random: (bytes: number) => Uint8Array): string {
  return base32(random(idBytes));
}

export function isOperationId(text: string): boolean {
  return operationId.test(text);
}

/** `copy_vm_image_100`: for people and logs. Confers no right and is never a key. */
export const label = (action: string, subjectNumber: number | string): string => `${action}_${subjectNumber}`;
