/** What a view-only screen does with a client's message. */
type Verdict = 'pass' | 'drop';

interface MessageKind {
  /** Bytes from which the length of the message follows. */
  headBytes: number;
  lengthOf(head: Buffer): number;
  verdict: Verdict;
}

const fixed = (length: number, verdict: Verdict): MessageKind => ({
  headBytes: 1,
  lengthOf: () => length,
  verdict,
});

/** RFC 6143, 7.5, and the extensions that QEMU and noVNC use. Only messages that request frames pass. */
const kinds: ReadonlyMap<number, MessageKind> = new Map([
  [0, fixed(20, 'pass')], // SetPixelFormat
  [2, { headBytes: 4, lengthOf: (head) => 4 + 4 * head.readUInt16BE(2), verdict: 'pass' }], // SetEncodings
  [3, fixed(10, 'pass')], // FramebufferUpdateRequest
  [4, fixed(8, 'drop')], // KeyEvent
  [5, fixed(6, 'drop')], // PointerEvent
  // ClientCutText; a negative length is the extended clipboard
  [6, { headBytes: 8, lengthOf: (head) => 8 + Math.abs(head.readInt32BE(4)), verdict: 'drop' }],
  [150, fixed(10, 'pass')], // EnableContinuousUpdates
  [248, { headBytes: 9, lengthOf: (head) => 9 + (head[8] ?? 0), verdict: 'pass' }], // ClientFence
  [250, fixed(4, 'drop')], // xvp: power
  [251, { headBytes: 8, lengthOf: (head) => 8 + 16 * (head[6] ?? 0), verdict: 'drop' }], // SetDesktopSize
  [255, { headBytes: 4, lengthOf: qemuLength, verdict: 'drop' }], // QEMU: keys and audio
]);

function qemuLength(head: Buffer): number {
  if (head[1] === 0) return 12; // extended key event
  return head.readUInt16BE(2) === 2 ? 10 : 4; // audio: its format, or on and off
}

const versionBytes = 12;
/** The choice of a security type, and ClientInit. */
const greetingBytes = versionBytes + 1 + 1;
/** Longest head of a message. */
const longestHeadBytes = 16;

/** Forwards only client messages that cannot change anything on the machine. */
export interface InputFilter {
  /**
   * The bytes of the chunk that may pass. A message may span chunks.
   * @throws RangeError for an unknown message, because the start of the next one is then unknown
   */
  pass(chunk: Buffer): Buffer;
}

/** Drops keys, pointer events and clipboard of a client. */
export function createInputFilter(): InputFilter {
  let greetingLeft = greetingBytes;
  let greeting = Buffer.alloc(0);
  let head = Buffer.alloc(0);
  let bodyLeft = 0;
  let verdict: Verdict = 'pass';

  /** @returns how many bytes of the chunk belong to the greeting */
  function readGreeting(chunk: Buffer): number {
    const length = Math.min(greetingLeft, chunk.length);
    greeting = Buffer.concat([greeting, chunk.subarray(0, length)]);
    greetingLeft -= length;
    if (greeting.length >= versionBytes && !/^RFB 003\.00[78]\n/.test(greeting.toString('latin1')))
      throw new RangeError('another version of RFB');
    // Other security types would send more bytes here.
    if (greeting.length > versionBytes && greeting[versionBytes] !== 1)
      throw new RangeError('another security type');
    return length;
  }

  return {
    pass(chunk) {
      const passed: Buffer[] = [];
      let at = 0;
      if (greetingLeft > 0) {
        at = readGreeting(chunk);
        passed.push(chunk.subarray(0, at));
      }
      while (at < chunk.length) {
        if (bodyLeft > 0) {
          const part = chunk.subarray(at, at + bodyLeft);
          if (verdict === 'pass') passed.push(part);
          bodyLeft -= part.length;
          at += part.length;
          continue;
        }
        head = Buffer.concat([head, chunk.subarray(at, at + 1)]);
        at += 1;
        const kind = kinds.get(head[0] ?? -1);
        if (kind === undefined || head.length > longestHeadBytes) throw new RangeError('an unknown message');
        if (head.length < kind.headBytes) continue;
        bodyLeft = kind.lengthOf(head) - head.length;
        ({ verdict } = kind);
        if (verdict === 'pass') passed.push(head);
        head = Buffer.alloc(0);
      }
      return Buffer.concat(passed);
    },
  };
}
