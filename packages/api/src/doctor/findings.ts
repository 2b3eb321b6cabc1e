import { formatBytes } from '@wcc/progress';
import { hostFindings } from './host-findings.ts';
import { storageFindings } from './storage-findings.ts';

/** Every possible result of a check, by its code. */
export const doctorFindings = { ...hostFindings, ...storageFindings } as const;

export type DoctorCode = keyof typeof doctorFindings;

/** Values of the parameters in a text. Sizes end with `Bytes`, durations with `Ms`. */
export type DoctorParameters = Readonly<Record<string, string | number>>;

/** Puts parameters into a text. Sizes and durations get their unit. */
export function fillDoctorText(text: string, parameters: DoctorParameters): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    return value === undefined ? whole : show(name, value);
  });
}

function show(name: string, value: string | number): string {
  if (typeof value === 'string') return value;
  if (name.endsWith('Bytes')) return formatBytes(value);
  if (name.endsWith('Ms')) return value < 10_000 ? `${round(value)} ms` : `${round(value / 1000)} s`;
  return String(value);
}

/** Three digits are enough to judge. */
function round(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
