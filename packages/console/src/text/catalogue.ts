import { en } from './en.ts';
import { ja } from './ja.ts';
import type { Locale, Text } from './text.ts';

const catalogue: Readonly<Record<Locale, Text>> = { en, ja };

export function textOf(locale: Locale): Text {
  return catalogue[locale];
}
