import type { AccessText } from './text.ts';
import { enAccess } from './en.ts';
import { jaAccess } from './ja.ts';
import type { Locale } from '../../text/text.ts';

const catalogue: Readonly<Record<Locale, AccessText>> = { en: enAccess, ja: jaAccess };

/** Apart from the catalogue of the console, because it is loaded with its pages only. */
export function accessTextOf({ locale }: { locale: Locale }): AccessText {
  return catalogue[locale];
}
