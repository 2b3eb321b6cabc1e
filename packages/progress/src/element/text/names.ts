import type { StateReason } from '../../core/snapshot.ts';
import { nameOf, textOf, warningOf } from './catalogue.ts';
import type { Locale } from './row-text.ts';

/** `copy_vm_image` → `Copy image`; an unknown action is made readable: `backup_database` → `Backup database`. */
export function actionName(action: string, locale: Locale): string {
  return nameOf(textOf(locale).actions, action);
}

/** `transfer` → `Copying data`; an unknown phase is made readable. */
export function phaseName(phase: string, locale: Locale): string {
  return nameOf(textOf(locale).phases, phase);
}

/** The text of a warning's code; an unknown code is made readable. */
export function warningText(code: string, locale: Locale): string {
  return warningOf(textOf(locale), code);
}

/** A duration in words: `12 s`, `4 min 5 s`, `2 h 10 min`. */
export function durationText(durationMs: number, locale: Locale): string {
  return textOf(locale).duration(durationMs);
}

/** Why an operation is queued, paused or interrupted; empty for an unknown reason. */
export function reasonText(reason: StateReason | null, locale: Locale): string {
  const { reasons } = textOf(locale);
  if (reason === null || !Object.hasOwn(reasons, reason.code)) return '';
  return reasons[reason.code]?.(reason.params ?? {}) ?? '';
}
