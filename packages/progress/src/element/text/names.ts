import { roundEta } from '../../core/eta.ts';
import type { StateReason } from '../../core/snapshot.ts';
import type { RowText } from './catalogue.ts';
import { localeOf } from './registry.ts';
import type { Locale } from './registry.ts';

/** The text of a code; an unknown code is made readable: `make_thing` → `Make thing`. */
export function nameOf(names: Readonly<Record<string, string>>, code: string): string {
  const known = Object.hasOwn(names, code) ? names[code] : undefined;
  if (known !== undefined) return known;
  const words = readable(code);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const readable = (code: string): string => code.replaceAll(/[_-]+/g, ' ').trim();

/** The text of a warning, found by the start of its code: in `copy_file_range_refused_EXDEV` the rest is for the log. */
export function warningOf({ warnings }: RowText, code: string): string {
  const key = Object.keys(warnings).find((known) => code === known || code.startsWith(`${known}_`));
  return nameOf(warnings, key ?? code);
}

/** Why an operation is queued, paused or interrupted; an unknown code is made readable. */
export function reasonOf({ text, format }: Locale, reason: StateReason | null): string {
  if (reason === null) return '';
  const known = Object.hasOwn(text.reasons, reason.code) ? text.reasons[reason.code] : undefined;
  return known === undefined ? readable(reason.code) : known(reason.params ?? {}, format);
}

/** `copy_vm_image` → `Copy image`; an unknown action is made readable: `backup_database` → `Backup database`. */
export function actionName(action: string, locale: string): string {
  return nameOf(localeOf(locale).text.actions, action);
}

/** `transfer` → `Copying data`; an unknown phase is made readable. */
export function phaseName(phase: string, locale: string): string {
  return nameOf(localeOf(locale).text.phases, phase);
}

/** The text of a warning's code; an unknown code is made readable. */
export function warningText(code: string, locale: string): string {
  return warningOf(localeOf(locale).text, code);
}

/** Why an operation is queued, paused or interrupted; empty without a reason. */
export function reasonText(reason: StateReason | null, locale: string): string {
  return reasonOf(localeOf(locale), reason);
}

/** A duration in words: `12 s`, `4 min 5 s`, `2 h 10 min`. */
export function durationText(durationMs: number, locale: string): string {
  const { text, format } = localeOf(locale);
  return text.duration(durationMs, format);
}

/** An ETA in words, rounded: `about 15 s left`. */
export function timeLeftText(etaMs: number, locale: string): string {
  const { text, format } = localeOf(locale);
  return text.left(roundEta(etaMs), format);
}

/** Bytes done and total in one unit: `1.5 of 2.4 GiB`. */
export function amountText(doneBytes: number, totalBytes: number, locale: string): string {
  const { text, format } = localeOf(locale);
  return text.amount(format.size(doneBytes, { rounding: 'down' }), format.size(totalBytes));
}
