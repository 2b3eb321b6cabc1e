/** CSI, OSC and other escape sequences of a terminal; also one whose end has not come yet. */
// oxlint-disable-next-line no-control-regex -- taking them out is what this is for
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-Z\\^-~])/g;
// oxlint-disable-next-line no-control-regex -- see above
const unfinished = /\u001b(?:\[[0-?]*[ -/]*|\][^\u0007\u001b]*\u001b?|[ -/]*)$/;
/** All but backspace, tab, line feed and carriage return. */
// oxlint-disable-next-line no-control-regex -- see above
const controls = /[\u0000-\u0007\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A sequence that is longer is no sequence. */
const mostPending = 1024;

/**
 * What a guest writes, for a terminal: its text and its lines. A guest is not trusted; its colours, titles and
 * cursor moves would be obeyed by the terminal of whoever looks.
 */
export class GuestText {
  readonly #decoder = new TextDecoder();
  #pending = '';

  /** The part of the text that can be shown now. */
  take(bytes: Uint8Array): string {
    const text = this.#pending + this.#decoder.decode(bytes, { stream: true });
    const plain = text.replaceAll(escapes, '');
    const open = unfinished.exec(plain)?.index ?? plain.length;
    this.#pending = plain.length - open > mostPending ? '' : plain.slice(open);
    return plain.slice(0, open).replaceAll(controls, '');
  }
}
