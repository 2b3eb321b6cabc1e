import { createCatalogue } from '../../text/catalogue.ts';
import type { Catalogue } from '../../text/catalogue.ts';
import { en } from './en.ts';
import { ja } from './ja.ts';
import type { AccessText } from './text.ts';

export const accessTextOf: Catalogue<AccessText> = createCatalogue({ en, ja });
