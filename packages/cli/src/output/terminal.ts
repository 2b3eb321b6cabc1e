import stringWidth from 'string-width';

/** What the terminal at the other end can show. */
export interface Look {
  /** Redraws a line in place. */
  canRedraw: boolean;
  hasColour: boolean;
  /** The locale is UTF-8: bars and separators beyond ASCII can be read. */
  hasUnicode: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `NO_COLOR` and `TERM=dumb` are honoured; see https://no-color.org. */
export function lookOf(stream: { readonly isTTY?: boolean }, env: Environment): Look {
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

/** Columns that a text takes: two for each wide character, none for a combining one. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The text, or as much of it as fits, with an ellipsis. */
export function fit(text: string, columns: number): string {
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

/** Filled up with spaces to so many columns. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/**
 * What came from elsewhere without what a terminal would obey: a name or a message must not move the cursor,
 * change the title or turn the direction of the text.
 */
export function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex -- taking them out is what this is for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** For a locale that is not UTF-8. */
export function plain(text: string): string {
  return text.replaceAll('·', '-').replaceAll('…', '...').replaceAll('→', '->');
}

const codes = { dim: 2, bold: 1, red: 31, green: 32, yellow: 33 } as const;

export function paint(text: string, colour: keyof typeof codes, look: Look): string {
  return look.hasColour && text !== '' ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
}
