import { createCatalogue } from '../../text/catalogue.ts';
import type { Catalogue } from '../../text/catalogue.ts';
import { en } from './en.ts';
import { ja } from './ja.ts';
import type { OperationsText } from './text.ts';

export const operationsTextOf: Catalogue<OperationsText> = createCatalogue({ en, ja });
