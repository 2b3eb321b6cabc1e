import { createCatalogue } from '../../text/catalogue.ts';
import type { Catalogue } from '../../text/catalogue.ts';
import { en } from './en.ts';
import { ja } from './ja.ts';
import type { ImagesText } from './text.ts';

export const imagesTextOf: Catalogue<ImagesText> = createCatalogue({ en, ja });
