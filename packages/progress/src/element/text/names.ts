import type { StateReason } from '../../core/snapshot.ts';
import { nameOf, textOf, warningOf } from './catalogue.ts';
import type { Locale } from './row-text.ts';

/** Words of a row, for a page that says the same elsewhere: in a filter, a table, an announcement. */

/** `copy_vm_image` → `Copy image`; a name from outside is made readable: `backup_database` → `Backup database`. */
export function actionName(action: string, locale: Locale): string {
  return nameOf(textOf(locale).actions, action);
}

export function phaseName(phase: string, locale: Locale): string {
  return nameOf(textOf(locale).phases, phase);
}

export function warningText(code: string, locale: Locale): string {
  return warningOf(textOf(locale), code);
}

/** `12 s`, `4 min 5 s`, `2 h 10 min`. */
export function durationText(durationMs: number, locale: Locale): string {
  return textOf(locale).duration(durationMs);
}

/** Why it is queued, paused or interrupted; empty for a reason that nobody has words for. */
export function reasonText(reason: StateReason | null, locale: Locale): string {
  const { reasons } = textOf(locale);
  if (reason === null || !Object.hasOwn(reasons, reason.code)) return '';
  return reasons[reason.code]?.(reason.params ?? {}) ?? '';
}
