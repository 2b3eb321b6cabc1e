import { createCatalogue } from '../../text/catalogue.ts';
import type { Catalogue } from '../../text/catalogue.ts';
import { en } from './en.ts';
import { ja } from './ja.ts';
import type { VmsText } from './text.ts';

export const vmsTextOf: Catalogue<VmsText> = createCatalogue({ en, ja });
