import { fillDoctorText } from '@wcc/api';
import type { DoctorReport } from '@wcc/api';
import type { Locale } from '../../text/text.ts';
import type { DoctorFindingTexts } from './text.ts';

type Check = DoctorReport['checks'][number];

let japanese: DoctorFindingTexts | null = null;

/** Loads the translated results. English results come from the server. */
export async function loadFindingTexts(locale: Locale): Promise<void> {
  if (locale !== 'ja' || japanese !== null) return;
  const [{ jaHostFindings }, { jaStorageFindings }] = await Promise.all([
    import('./ja-host-findings.ts'),
    import('./ja-storage-findings.ts'),
  ]);
  japanese = { ...jaHostFindings, ...jaStorageFindings };
}

/** What was found and what to do. A code that this console does not know is shown in English. */
export function findingTextOf(check: Check, locale: Locale): { found: string; advice: string | null } {
  const known = locale === 'ja' ? japanese?.[check.code] : undefined;
  if (known === undefined) return check;
  const [found, advice] = known;
  const fill = (text: string): string => fillDoctorText(text, check.parameters);
  return { found: fill(found), advice: advice === null ? null : fill(advice) };
}
