import { enImage } from './en.ts';
import type { ImageText } from './text.ts';
import { jaImage } from './ja.ts';
import type { Locale } from '../../text/text.ts';

const catalogue: Readonly<Record<Locale, ImageText>> = { en: enImage, ja: jaImage };

/** Apart from the catalogue of the console, because it is loaded with what is done with one image. */
export function imageTextOf({ locale }: { locale: Locale }): ImageText {
  return catalogue[locale];
}
