import type { Image } from '@wcc/api';
import { size } from '../text/format.ts';
import type { Choice } from '../ui/fields.ts';

/** Images to choose from, each with its size. */
export function imageChoices(images: readonly Image[]): Choice[] {
  return images.map(({ id, name, virtualSizeBytes }) => ({
    value: String(id),
    label: `${name} · ${size(virtualSizeBytes)}`,
  }));
}
