import type { CdBus } from '@wcc/api';
import type { TemplateResult } from 'lit';
import { segmentField } from '../ui/segments.ts';
import type { VmsText } from './text/text.ts';

export interface CdBusField {
  /** Unique in the page. */
  name: string;
  value: CdBus;
  change: (value: CdBus) => void;
}

/** The bus of the CD drives. */
export function cdBusField({ name, value, change }: CdBusField, words: VmsText): TemplateResult {
  return segmentField({
    name,
    label: words.cdBus,
    value,
    choices: [
      { value: 'scsi', label: words.cdBuses.scsi },
      { value: 'sata', label: words.cdBuses.sata },
    ],
    change,
    note: words.cdBusHints[value],
  });
}
