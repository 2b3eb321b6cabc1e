import { en } from './en.ts';
import { ja } from './ja.ts';
import type { Locale, RowText } from './row-text.ts';

const catalogue: Readonly<Record<Locale, RowText>> = { en, ja };

/** The texts of a language. */
export function textOf(locale: Locale): RowText {
  return catalogue[locale];
}

/** The name of a code; an unknown code is made readable: `make_thing` → `Make thing`. */
export function nameOf(names: Readonly<Record<string, string>>, code: string): string {
  const known = Object.hasOwn(names, code) ? names[code] : undefined;
  if (known !== undefined) return known;
  const words = code.replaceAll(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** True for an action of wcc. Operations that another program reports are cleaned up and resumed by that program. */
export function isOwnAction(text: RowText, action: string): boolean {
  return Object.hasOwn(text.actions, action);
}

/** The text of a warning, found by the start of its code: in `copy_file_range_refused_EXDEV` the rest is for the log. */
export function warningOf(text: RowText, code: string): string {
  const key = Object.keys(text.warnings).find((known) => code === known || code.startsWith(`${known}_`));
  return (key === undefined ? undefined : text.warnings[key]) ?? nameOf({}, code);
}
