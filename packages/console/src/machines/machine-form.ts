import { isMachineName } from '@wcc/api';

export const mib = 1_048_576;
export const gib = 1_073_741_824;
const maxCpus = 255;
const minMemory = 16 * mib;
const maxMemory = 16_384 * gib;
const maxDisk = 65_536 * gib;

export type VmNameProblem = 'empty' | 'malformed' | 'taken' | null;

/** Problem with a name. Only the server knows all names. */
export function checkVmName(name: string, taken: readonly string[]): VmNameProblem {
  if (name === '') return 'empty';
  if (!isMachineName(name)) return 'malformed';
  return taken.includes(name) ? 'taken' : null;
}

/** For `debian-13.qcow2`, the first free name of `debian-13-1`, `debian-13-2` and so on. */
export function proposeVmName(imageName: string, taken: readonly string[]): string {
  const base = imageName
    .replace(/\.[A-Za-z0-9]{1,5}$/, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 56);
  let number = 1;
  const name = (): string => `${base === '' ? 'machine' : base}-${number}`;
  while (taken.includes(name())) number += 1;
  return name();
}

/** A whole number of CPUs; `undefined` for anything else. */
export function parseCpus(text: string): number | undefined {
  const value = numberOf(text);
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= maxCpus ? value : undefined;
}

/** Bytes, in whole MiB, for GiB as typed; `undefined` outside the limits of a machine. */
export function parseMemory(text: string): number | undefined {
  return bytesOf(text, { least: minMemory, most: maxMemory });
}

/** Bytes, in whole MiB, for GiB as typed; `undefined` outside the limits of a disk. */
export function parseDiskSize(text: string, least: number = mib): number | undefined {
  return bytesOf(text, { least, most: maxDisk });
}

/** Bytes as a user would type them in GiB, with at most three decimals. */
export function gibText(bytes: number): string {
  return String(Number((bytes / gib).toFixed(3)));
}

function bytesOf(text: string, { least, most }: { least: number; most: number }): number | undefined {
  const value = numberOf(text);
  if (value === undefined) return undefined;
  const bytes = Math.round((value * gib) / mib) * mib;
  return bytes >= least && bytes <= most ? bytes : undefined;
}

function numberOf(text: string): number | undefined {
  const trimmed = text.trim().replace(',', '.');
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(trimmed)) return undefined;
  return Number(trimmed);
}
