import stringWidth from 'string-width';

/** What the terminal supports. */
export interface TerminalFeatures {
  /** It can redraw a line in place. */
  canRedraw: boolean;
  hasColour: boolean;
  /** The locale is UTF-8, so bars and separators may be non-ASCII. */
  hasUnicode: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Detects the features; respects `NO_COLOR` (https://no-color.org) and `TERM=dumb`. */
export function terminalFeatures(stream: { readonly isTTY?: boolean }, env: Environment): TerminalFeatures {
  const canRedraw = stream.isTTY === true && env['TERM'] !== 'dumb';
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  return {
    canRedraw,
    hasColour: canRedraw && (env['NO_COLOR'] ?? '') === '',
    hasUnicode: /utf-?8/i.test(locale ?? ''),
  };
}

/** Width of a text in columns: two for a wide character, none for a combining one. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Cuts a text to `columns` columns, with an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let short = '';
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    short += segment;
  }
  return columns < 1 ? '' : `${short}…`;
}

/** Pads a text with spaces to `columns` columns. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/**
 * Replaces control and direction characters of untrusted text, e.g. a name or a message, so that it cannot control
 * the terminal.
 */
export function escapeTerminal(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the purpose is to replace control characters
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** Replaces the non-ASCII characters of our texts, for a locale that is not UTF-8. */
export function toAscii(text: string): string {
  return text.replaceAll('·', '-').replaceAll('…', '...').replaceAll('→', '->');
}

const codes = { dim: 2, bold: 1, red: 31, green: 32, yellow: 33 } as const;

/** Colours a text, if the terminal supports it. */
export function paint(text: string, colour: keyof typeof codes, look: TerminalFeatures): string {
  return look.hasColour && text !== '' ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
}
