const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const replacement = '\u{fffd}';
const longestCharacterBytes = 4;

/**
 * The text of a file name. Names are bytes and need not be UTF-8: each byte that is not is shown as U+FFFD and its two
 * hexadecimal digits. Different names have different texts, because a real U+FFFD is shown in the same way.
 */
export function decodeFileName(bytes: Buffer): string {
  const whole = decode(bytes);
  if (whole !== null && !whole.includes(replacement)) return whole;
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const [character, length] = characterAt(bytes, at);
    text += character;
    at += length;
  }
  return text;
}

/** Whether a name was not UTF-8. Its text does not open the file. */
export function isUndecodable(name: string): boolean {
  return name.includes(replacement);
}

function characterAt(bytes: Buffer, at: number): [string, number] {
  for (let length = 1; length <= longestCharacterBytes; length += 1) {
    const character = decode(bytes.subarray(at, at + length));
    if (character !== null && character !== replacement && character !== '') return [character, length];
  }
  return [replacement + bytes.subarray(at, at + 1).toString('hex'), 1];
}

function decode(bytes: Buffer): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
