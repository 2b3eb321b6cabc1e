const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const idBytes = 16;
const bitsPerCharacter = 5;

// 128 bits leave 3 bits for the 26th character, so it is one of eight letters.
const operationId = /^[a-z2-7]{25}[aeimquy4]$/;

/** RFC 4648 base32 without padding, in lower case: safe in URLs, file names and subprotocols. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= bitsPerCharacter) {
      bits -= bitsPerCharacter;
      text += alphabet.charAt((pending >>> bits) & 31);
    }
    pending &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet.charAt((pending << (bitsPerCharacter - bits)) & 31);
}

/** The Web Crypto API, which browsers and Node have; this folder is compiled without the types of either. */
declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };

const webRandom = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

/**
 * Creates an operation id: 128 random bits as 26 characters of lower-case base32.
 *
 * @param random source of cryptographically strong bytes. @default `crypto.getRandomValues`
 */
export function createOperationId(random: (bytes: number) => Uint8Array = webRandom): string {
  return base32(random(idBytes));
}

/** True for text in the form of {@link createOperationId}. Does not check that the operation exists. */
export function isOperationId(text: string): boolean {
  return operationId.test(text);
}

const maxIdLength = 64;

/** True for a text that may identify an operation: one of {@link createOperationId}, or a host's own. */
export function isWatchableId(id: unknown): boolean {
  return typeof id === 'string' && id.length > 0 && id.length <= maxIdLength;
}
