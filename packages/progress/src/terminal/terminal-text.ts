/** What the terminal supports. */
export interface TerminalFeatures {
  /** It can redraw lines in place. */
  canRedraw: boolean;
  hasColour: boolean;
  /** The locale is UTF-8, so bars and separators may be non-ASCII. */
  hasUnicode: boolean;
}

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

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

let segmenter: Intl.Segmenter | undefined;
/** Created at the first text that is not ASCII, because Node loads its data then. */
function segmentsOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

const invisible = /^[\p{Control}\p{Format}\p{Mark}\p{Surrogate}\p{Default_Ignorable_Code_Point}]*$/u;
const emoji = /^(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{Emoji}.*\u20E3)/u;
/** East Asian Wide and Fullwidth characters, as blocks. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18df2}\u{1aff0}-\u{1b2fb}\u{1d300}-\u{1d356}\u{1d360}-\u{1d376}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;

/** Width of a text in columns: two for a wide character, none for a combining one. */
export function widthOf(text: string): number {
  // oxlint-disable-next-line no-control-regex -- ASCII without control characters
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmentsOf(text)) {
    if (!invisible.test(segment)) width += emoji.test(segment) || wide.test(segment) ? 2 : 1;
  }
  return width;
}

/** Cuts a text to `columns` columns, with an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let short = '';
  let width = 0;
  for (const { segment } of segmentsOf(text)) {
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
 * Replaces control characters, line separators and format characters of untrusted text, e.g. a name or a message. So
 * it cannot control the terminal, and shows all it holds. The joiners of scripts and emoji stay.
 */
export function escapeTerminal(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u2800]|(?![\u200c\u200d])\p{Cf}/gu, '\ufffd');
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
