import { enUploads } from './en-uploads.ts';
import { jaUploads } from './ja-uploads.ts';
import type { Locale } from './text.ts';
import type { UploadsText } from './uploads-text.ts';

const catalogue: Readonly<Record<Locale, UploadsText>> = { en: enUploads, ja: jaUploads };

/** Apart from the catalogue of the console, because it is loaded with what sends files. */
export function uploadsTextOf({ locale }: { locale: Locale }): UploadsText {
  return catalogue[locale];
}
