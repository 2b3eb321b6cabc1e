import { formatBytes } from '@wcc/progress';
import type { Locale } from './text.ts';

/** Sizes are the same in both languages: IEC units, one decimal from 1 to 99.9. */
export const size: (bytes: number) => string = (bytes) => formatBytes(bytes);

/** A count with the language's grouping. */
export function count(value: number, locale: Locale): string {
  return new Intl.NumberFormat(locale).format(value);
}

const agoUnits: Readonly<Record<Locale, readonly [string, string, string]>> = {
  en: ['s', 'min', 'h'],
  ja: ['秒', '分', '時間'],
};

/** A duration in one unit: `12 s`, `4 min`, `2 h`. */
export function ago(durationMs: number, locale: Locale): string {
  const seconds = Math.max(1, Math.round(durationMs / 1000));
  const [second, minute, hour] = agoUnits[locale];
  if (seconds < 60) return `${seconds} ${second}`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} ${minute}` : `${Math.floor(seconds / 3600)} ${hour}`;
}

/** How a time is written. */
export interface Times {
  locale: Locale;
  /** The server's time, because the browser's clock may be wrong. */
  nowMs: number;
  /** @default false */
  hasSeconds?: boolean;
}

/** A time in the reader's time zone, with the date unless it is today. */
export function clockTime(iso: string, { locale, nowMs, hasSeconds = false }: Times): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  const isToday = at.toDateString() === new Date(nowMs).toDateString();
  const day = isToday ? {} : ({ year: 'numeric', month: 'short', day: 'numeric' } as const);
  return new Intl.DateTimeFormat(locale, {
    ...day,
    hour: 'numeric',
    minute: '2-digit',
    ...(hasSeconds ? ({ second: '2-digit' } as const) : {}),
  }).format(at);
}
