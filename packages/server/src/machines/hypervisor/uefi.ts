import { existsSync } from 'node:fs';

/** Firmware of UEFI machines: code that all share, and the template of each machine's variables. */
export interface UefiFirmware {
  readonly code: string;
  readonly variables: string;
}

/** Debian's package `ovmf`: the build for 4 MiB flash, else the older one. */
const known: readonly UefiFirmware[] = [
  { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
  { code: '/usr/share/OVMF/OVMF_CODE.fd', variables: '/usr/share/OVMF/OVMF_VARS.fd' },
];

/** Null when none is installed. */
export function findUefi(): UefiFirmware | null {
  return known.find(({ code, variables }) => existsSync(code) && existsSync(variables)) ?? null;
}
