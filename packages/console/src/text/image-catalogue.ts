import { enImage } from './en-image.ts';
import type { ImageText } from './image-text.ts';
import { jaImage } from './ja-image.ts';
import type { Locale } from './text.ts';

const catalogue: Readonly<Record<Locale, ImageText>> = { en: enImage, ja: jaImage };

/** Apart from the catalogue of the console, because it is loaded with what is done with one image. */
export function imageTextOf({ locale }: { locale: Locale }): ImageText {
  return catalogue[locale];
}
