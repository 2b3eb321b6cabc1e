import { en } from './en.ts';
import { ja } from './ja.ts';
import type { Locale, Text } from './text.ts';

/** Texts in the language of the given preferences. */
export type Catalogue<Texts> = (reader: { readonly locale: Locale }) => Texts;

/** A catalogue of one feature. Both languages have the same type, so a missing text does not compile. */
export function createCatalogue<Texts>(languages: Readonly<Record<Locale, Texts>>): Catalogue<Texts> {
  return ({ locale }) => languages[locale];
}

export const textOf: Catalogue<Text> = createCatalogue({ en, ja });
