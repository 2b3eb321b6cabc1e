/** Complete escape sequences of a terminal: CSI, OSC and others. */
// oxlint-disable-next-line no-control-regex -- the purpose is to remove control characters
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-Z\\^-~])/g;
// oxlint-disable-next-line no-control-regex -- see above
const unfinished = /\u001b(?:\[[0-?]*[ -/]*|\][^\u0007\u001b]*\u001b?|[ -/]*)$/;
/** Control characters except backspace, tab, line feed and carriage return. */
// oxlint-disable-next-line no-control-regex -- see above
const controls = /[\u0000-\u0007\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A longer start of a sequence is treated as text. */
const maxPending = 1024;

/**
 * Filters the output of a guest for a terminal and keeps only text and lines. A guest is not trusted: its escape
 * sequences could change the title, the clipboard or the screen of the user's terminal.
 */
export class GuestOutputFilter {
  readonly #decoder = new TextDecoder();
  #pending = '';

  /** @returns the text that can be shown now; an incomplete sequence is kept for the next call */
  filter(bytes: Uint8Array): string {
    const text = this.#pending + this.#decoder.decode(bytes, { stream: true });
    const plain = text.replaceAll(escapes, '');
    const open = unfinished.exec(plain)?.index ?? plain.length;
    this.#pending = plain.length - open > maxPending ? '' : plain.slice(open);
    return plain.slice(0, open).replaceAll(controls, '');
  }
}
