import { existsSync } from 'node:fs';

/** UEFI firmware: one code file for all machines, and a template of the variables that each machine gets. */
export interface UefiFirmware {
  readonly code: string;
  readonly variables: string;
}

/** Files of Debian's package `ovmf`. The build for 4 MiB flash is preferred to the older build. */
const known: readonly UefiFirmware[] = [
  { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
  { code: '/usr/share/OVMF/OVMF_CODE.fd', variables: '/usr/share/OVMF/OVMF_VARS.fd' },
];

/** The installed firmware; null when there is none. */
export function findUefi(): UefiFirmware | null {
  return known.find(({ code, variables }) => existsSync(code) && existsSync(variables)) ?? null;
}
