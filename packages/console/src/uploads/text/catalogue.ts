import { createCatalogue } from '../../text/catalogue.ts';
import type { Catalogue } from '../../text/catalogue.ts';
import { en } from './en.ts';
import { ja } from './ja.ts';
import type { UploadsText } from './text.ts';

export const uploadsTextOf: Catalogue<UploadsText> = createCatalogue({ en, ja });
