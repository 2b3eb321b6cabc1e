import { createCatalogue } from '../../text/catalogue.ts';
import type { Catalogue } from '../../text/catalogue.ts';
import { en } from './en.ts';
import { ja } from './ja.ts';
import type { SystemText } from './text.ts';

export const systemTextOf: Catalogue<SystemText> = createCatalogue({ en, ja });
