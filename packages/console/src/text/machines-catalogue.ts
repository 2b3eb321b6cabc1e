import { enMachines } from './en-machines.ts';
import { jaMachines } from './ja-machines.ts';
import type { MachinesText } from './machines-text.ts';
import type { Locale } from './text.ts';

const catalogue: Readonly<Record<Locale, MachinesText>> = { en: enMachines, ja: jaMachines };

/** Apart from the catalogue of the console, because it is loaded with its pages only. */
export function machinesTextOf({ locale }: { locale: Locale }): MachinesText {
  return catalogue[locale];
}
