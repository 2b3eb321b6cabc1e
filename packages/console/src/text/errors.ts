import type { ErrorCode } from '@wcc/api';
import type { ErrorWords, Locale } from './text.ts';

type Words = Record<ErrorCode | 'unreachable' | 'foreign_answer', ErrorWords>;

let japanese: Words | null = null;

/** Brings the words of errors for a language; until they are there, and for English, the server's own are shown. */
export async function loadErrorWords(locale: Locale): Promise<void> {
  if (locale === 'ja') japanese ??= (await import('./ja-errors.ts')).jaErrors;
}

export function errorWordsOf(locale: Locale): Readonly<Partial<Record<string, ErrorWords>>> {
  return (locale === 'ja' ? japanese : null) ?? {};
}
