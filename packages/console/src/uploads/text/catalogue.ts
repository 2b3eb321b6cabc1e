import { enUploads } from './en.ts';
import { jaUploads } from './ja.ts';
import type { Locale } from '../../text/text.ts';
import type { UploadsText } from './text.ts';

const catalogue: Readonly<Record<Locale, UploadsText>> = { en: enUploads, ja: jaUploads };

/** Apart from the catalogue of the console, because it is loaded with what sends files. */
export function uploadsTextOf({ locale }: { locale: Locale }): UploadsText {
  return catalogue[locale];
}
