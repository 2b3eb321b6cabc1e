import type { ErrorCode } from '@wcc/api';
import type { ClientErrorCode } from '@wcc/api/client';
import { registerLocale } from '@wcc/progress/text';
import type { ErrorText, Locale } from './text.ts';

type Words = Record<ErrorCode | ClientErrorCode, ErrorText>;

let japanese: Words | null = null;

/**
 * Loads the translated errors of a language. English, and errors that are not loaded, use the server's
 * messages.
 */
export async function loadErrorTexts(locale: Locale): Promise<void> {
  if (locale !== 'ja' || japanese !== null) return;
  japanese = (await import('./ja-errors.ts')).jaErrors;
  registerLocale('ja', { error: (error) => errorTextOf('ja')[error.code] ?? error });
}

export function errorTextOf(locale: Locale): Readonly<Partial<Record<string, ErrorText>>> {
  return (locale === 'ja' ? japanese : null) ?? {};
}
