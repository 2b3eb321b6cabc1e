import { formatBytes } from '../../core/units.ts';

/** Plural forms by CLDR category; `other` is required. */
export type PluralForms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Numbers and plural forms of one language. */
export interface LocaleFormat {
  /** BCP 47 tag of the texts and numbers in use, e.g. `de-AT`. */
  readonly tag: string;
  /** `1,234.5`. `digits` decimals are always shown. @default none for an integer, else one */
  readonly number: (value: number, digits?: number) => string;
  /** A number of bytes in IEC units: `1.5 GiB`. */
  readonly size: (bytes: number, options?: Parameters<typeof formatBytes>[1]) => string;
  /** The form for this number, by the plural rules of the language. */
  readonly plural: (count: number, forms: PluralForms) => string;
}

/** @param tag a valid BCP 47 tag */
export function createFormat(tag: string): LocaleFormat {
  const formats = new Map<number | undefined, Intl.NumberFormat>();
  const rules = new Intl.PluralRules(tag);
  const number = (value: number, digits?: number): string => {
    const limits = { minimumFractionDigits: digits ?? 0, maximumFractionDigits: digits ?? 1 };
    const format = formats.get(digits) ?? new Intl.NumberFormat(tag, limits);
    formats.set(digits, format);
    return format.format(value);
  };
  return {
    tag,
    number,
    size: (bytes, options) =>
      formatBytes(bytes, options).replace(/^[\d.]+/, (text) =>
        number(Number(text), text.split('.')[1]?.length),
      ),
    plural: (count, forms) => forms[rules.select(count)] ?? forms.other,
  };
}
