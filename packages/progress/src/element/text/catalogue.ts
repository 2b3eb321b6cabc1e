import { en } from './en.ts';
import { ja } from './ja.ts';
import type { Locale, RowText } from './row-text.ts';

const catalogue: Readonly<Record<Locale, RowText>> = { en, ja };

export function textOf(locale: Locale): RowText {
  return catalogue[locale];
}

/** `copy_vm_image` and `make_thing` alike become something a person can read. */
export function nameOf(names: Readonly<Record<string, string>>, code: string): string {
  const known = Object.hasOwn(names, code) ? names[code] : undefined;
  if (known !== undefined) return known;
  const words = code.replaceAll(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Whether wcc itself does it. What another program reports, wcc neither cleans up nor resumes. */
export function isOwnAction(text: RowText, action: string): boolean {
  return Object.hasOwn(text.actions, action);
}

/** `copy_file_range_refused_EXDEV` is told by its beginning: the rest is for the log. */
export function warningOf(text: RowText, code: string): string {
  const key = Object.keys(text.warnings).find((known) => code === known || code.startsWith(`${known}_`));
  return (key === undefined ? undefined : text.warnings[key]) ?? nameOf({}, code);
}
