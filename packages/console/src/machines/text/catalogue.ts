import { createCatalogue } from '../../text/catalogue.ts';
import type { Catalogue } from '../../text/catalogue.ts';
import { en } from './en.ts';
import { ja } from './ja.ts';
import type { MachinesText } from './text.ts';

export const machinesTextOf: Catalogue<MachinesText> = createCatalogue({ en, ja });
