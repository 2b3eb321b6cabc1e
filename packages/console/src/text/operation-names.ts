import { en } from '@wcc/api/text';
import { registerLocale } from '@wcc/progress/text';
import type { Locale } from './text.ts';

// wcc's names of actions and phases, for the rows and the pages.
registerLocale('en', en);

/** Loads the names in another language. Until they are loaded, rows and pages show the English ones. */
export async function loadOperationNames(locale: Locale): Promise<void> {
  if (locale !== 'ja') return;
  const { japanese, wccJapanese } = await import('./ja-operation-names.ts');
  registerLocale('ja', japanese);
  registerLocale('ja', wccJapanese);
}

export { actionName, durationText, phaseName, warningText } from '@wcc/progress/text';
