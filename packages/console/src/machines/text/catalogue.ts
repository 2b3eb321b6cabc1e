import { enMachines } from './en.ts';
import { jaMachines } from './ja.ts';
import type { MachinesText } from './text.ts';
import type { Locale } from '../../text/text.ts';

const catalogue: Readonly<Record<Locale, MachinesText>> = { en: enMachines, ja: jaMachines };

/** Apart from the catalogue of the console, because it is loaded with its pages only. */
export function machinesTextOf({ locale }: { locale: Locale }): MachinesText {
  return catalogue[locale];
}
