/** How a view-only screen treats a client's message. */
type Verdict = 'pass' | 'drop';

interface MessageKind {
  /** Bytes from which the length of the message follows. */
  headBytes: number;
  /** @param at where the message begins */
  lengthOf(bytes: Buffer, at: number): number;
  verdict: Verdict;
}

const fixed = (length: number, verdict: Verdict): MessageKind => ({
  headBytes: 1,
  lengthOf: () => length,
  verdict,
});

/** RFC 6143, 7.5, and the extensions that QEMU and noVNC use. `pass`: messages that request frames. */
const kinds: ReadonlyMap<number, MessageKind> = new Map([
  [0, fixed(20, 'pass')], // SetPixelFormat
  [2, { headBytes: 4, lengthOf: (bytes, at) => 4 + 4 * bytes.readUInt16BE(at + 2), verdict: 'pass' }], // SetEncodings
  [3, fixed(10, 'pass')], // FramebufferUpdateRequest
  [4, fixed(8, 'drop')], // KeyEvent
  [5, fixed(6, 'drop')], // PointerEvent
  // ClientCutText; a negative length is the extended clipboard
  [6, { headBytes: 8, lengthOf: (bytes, at) => 8 + Math.abs(bytes.readInt32BE(at + 4)), verdict: 'drop' }],
  [150, fixed(10, 'pass')], // EnableContinuousUpdates
  [248, { headBytes: 9, lengthOf: (bytes, at) => 9 + (bytes[at + 8] ?? 0), verdict: 'pass' }], // ClientFence
  [250, fixed(4, 'drop')], // xvp: power
  [251, { headBytes: 8, lengthOf: (bytes, at) => 8 + 16 * (bytes[at + 6] ?? 0), verdict: 'drop' }], // SetDesktopSize
  [255, { headBytes: 4, lengthOf: qemuLength, verdict: 'drop' }], // QEMU: keys and audio
]);

function qemuLength(bytes: Buffer, at: number): number {
  if (bytes[at + 1] === 0) return 12; // extended key event
  return bytes.readUInt16BE(at + 2) === 2 ? 10 : 4; // audio: its format, or on and off
}

const versionBytes = 12;
/** The choice of a security type, and ClientInit. */
const greetingBytes = versionBytes + 1 + 1;
const longestHeadBytes = 16;
const sharedFlag = 1;

export interface RfbInputOptions {
  /** Drops every message that can change something on the machine. */
  isViewOnly: boolean;
  /** Called for every chunk with a key, pointer event or clipboard that passes. */
  onInput?: () => void;
}

/** Reads what a client sends to a screen, in linear time and without copying what passes unchanged. */
export interface RfbInput {
  /**
   * The bytes of the chunk that may pass. A message may span chunks. The shared flag is always set, because QEMU
   * disconnects all other clients when one asks for exclusive access.
   * @throws RangeError for an unknown message on a view-only screen: the start of the next message is then unknown
   */
  pass(chunk: Buffer): Buffer;
}

export function createRfbInput(options: RfbInputOptions): RfbInput {
  return new Parser(options);
}

class Parser implements RfbInput {
  readonly #options: RfbInputOptions;
  readonly #greeting = Buffer.alloc(greetingBytes);
  #greetingLength = 0;
  readonly #head = Buffer.alloc(longestHeadBytes);
  #headLength = 0;
  #bodyLeft = 0;
  #verdict: Verdict = 'pass';
  /** An interactive client uses an unknown message: from then on, everything passes unread. */
  #isUnread = false;
  #hasInput = false;

  constructor(options: RfbInputOptions) {
    this.#options = options;
  }

  pass(chunk: Buffer): Buffer {
    this.#hasInput = this.#isUnread;
    const passed = this.#isUnread ? chunk : this.#read(chunk);
    if (this.#hasInput && !this.#options.isViewOnly) this.#options.onInput?.();
    return passed;
  }

  #read(chunk: Buffer): Buffer {
    const output = new Output(chunk);
    let at = this.#readGreeting(chunk, output);
    while (at < chunk.length) {
      if (this.#bodyLeft === 0) at = this.#readHead(chunk, { at, output });
      const end = Math.min(chunk.length, at + this.#bodyLeft);
      if (this.#verdict === 'pass') output.keep(at, end);
      this.#bodyLeft -= end - at;
      at = end;
    }
    return output.bytes();
  }

  /** @returns how many bytes of the chunk belong to the greeting */
  #readGreeting(chunk: Buffer, output: Output): number {
    const before = this.#greetingLength;
    if (before === greetingBytes) return 0;
    const length = chunk.copy(this.#greeting, before);
    this.#greetingLength += length;
    const isKnown =
      this.#greetingLength < versionBytes ||
      (/^RFB 003\.00[78]\n/.test(this.#greeting.toString('latin1')) &&
        // Other security types would send more bytes here.
        (this.#greetingLength === versionBytes || this.#greeting[versionBytes] === 1));
    if (!isKnown) this.#becomeUnread('another version of RFB, or another security type');
    output.keep(0, length);
    if (this.#greetingLength === greetingBytes && !this.#isUnread) output.replace(length - 1, sharedFlag);
    return length;
  }

  /** Reads up to the length of a message. @returns the end of what was read */
  #readHead(chunk: Buffer, { at, output }: { at: number; output: Output }): number {
    const kind = this.#isUnread
      ? undefined
      : kinds.get(this.#headLength > 0 ? (this.#head[0] ?? -1) : (chunk[at] ?? -1));
    if (kind === undefined) {
      this.#becomeUnread('an unknown message');
      this.#bodyLeft = Infinity;
      return at;
    }
    const carried = this.#headLength;
    const end = Math.min(chunk.length, at + kind.headBytes - carried);
    const isWhole = end - at + carried === kind.headBytes;
    if (carried > 0 || !isWhole) this.#headLength += chunk.copy(this.#head, carried, at, end);
    if (!isWhole) {
      // The bytes pass with the rest of the head.
      this.#verdict = 'drop';
      return end;
    }
    const length = carried > 0 ? kind.lengthOf(this.#head, 0) : kind.lengthOf(chunk, at);
    this.#bodyLeft = length - kind.headBytes;
    this.#verdict = this.#options.isViewOnly ? kind.verdict : 'pass';
    this.#hasInput ||= kind.verdict === 'drop';
    if (this.#verdict === 'pass') {
      if (carried > 0) output.startWith(this.#head.subarray(0, carried));
      output.keep(at, end);
    }
    this.#headLength = 0;
    return end;
  }

  #becomeUnread(what: string): void {
    if (this.#options.isViewOnly) throw new RangeError(what);
    this.#isUnread = true;
    this.#verdict = 'pass';
    this.#hasInput = true;
  }
}

/** The kept parts of a chunk: the chunk itself where nothing is dropped, else one copy. */
class Output {
  readonly #chunk: Buffer;
  #copy: Buffer | null = null;
  #copied = 0;
  /** The kept bytes that are not copied yet. */
  #from = 0;
  #to = 0;
  #start: Buffer | null = null;

  constructor(chunk: Buffer) {
    this.#chunk = chunk;
  }

  /** Keeps the bytes from `from` up to `to`. */
  keep(from: number, to: number): void {
    if (from !== this.#to) {
      this.#flush();
      this.#from = from;
    }
    this.#to = to;
  }

  /** Replaces a kept byte. */
  replace(at: number, byte: number): void {
    if (this.#chunk[at] === byte) return;
    this.#flush();
    this.#from = this.#to;
    if (this.#copy !== null) this.#copy[at] = byte;
  }

  /** Bytes of earlier chunks, before everything else. */
  startWith(bytes: Buffer): void {
    this.#start = Buffer.from(bytes);
  }

  bytes(): Buffer {
    let kept = this.#chunk.subarray(this.#from, this.#to);
    if (this.#copied > 0) {
      this.#flush();
      kept = this.#copy?.subarray(0, this.#copied) ?? kept;
    }
    return this.#start === null ? kept : Buffer.concat([this.#start, kept]);
  }

  #flush(): void {
    this.#copy ??= Buffer.allocUnsafe(this.#chunk.length);
    this.#copied += this.#chunk.copy(this.#copy, this.#copied, this.#from, this.#to);
    this.#from = this.#to;
  }
}
