import type { BootDevice } from '@wcc/api';

/** Settings of a machine that another program can change in the hypervisor. */
export const settingNames = [
  'name',
  'cpus',
  'memory',
  'firmware',
  'disks',
  'cdrom',
  'network',
  'bootOrder',
] as const;
export type SettingName = (typeof settingNames)[number];

/** The fields of a specification that can follow the hypervisor. */
export interface AdoptedFields {
  readonly name?: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly bootOrder?: readonly BootDevice[];
  readonly cdrom?: string | null;
}

/** A setting for which the hypervisor has another value than the last `define` wrote. */
export interface SettingDifference {
  readonly setting: SettingName;
  /** For people, as the last `define` wrote it; empty: nothing. */
  readonly written: string;
  /** For people, as the hypervisor has it now; empty: nothing. */
  readonly found: string;
  /** Makes the specification equal to what the hypervisor has; null: no specification can express that. */
  readonly adopt: AdoptedFields | null;
}

/** One line for people: `cpus: 1 in wcc, 2 in the hypervisor; …`. */
export function describeDifferences(differences: readonly SettingDifference[]): string {
  const orNothing = (text: string): string => (text === '' ? 'nothing' : text);
  return differences
    .map(
      ({ setting, written, found }) =>
        `${setting}: ${orNothing(written)} in wcc, ${orNothing(found)} in the hypervisor`,
    )
    .join('; ');
}
