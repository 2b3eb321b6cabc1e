import { roundEta } from '../core/eta.ts';
import type { Phase, Snapshot } from '../core/snapshot.ts';
import { completeSnapshot } from './complete-snapshot.ts';
import { describeBar, percentText } from './describe-bar.ts';
import { describeState } from './describe-state.ts';
import { currentPhase, isFullPhase, joinParts, lookOf, noteFor } from './row-view.ts';
import type { RowContext, RowOptions, RowView } from './row-view.ts';
import { nameOf } from './text/names.ts';
import { localeOf } from './text/registry.ts';
import { verbsOf } from './verbs.ts';

/**
 * Turns a snapshot into the texts and numbers of one row. Pure: the same input gives the same row. Fields that the
 * snapshot lacks are unknown to the row.
 *
 * @throws {TypeError} with `code: 'invalid_snapshot'` if it is not an object or has no valid `state`
 * @example describeRow(snapshot, { locale: 'de' }).status // '2 von 4 · Transfer'
 */
export function describeRow(snapshot: Snapshot, options: RowOptions = {}): RowView {
  const { locale = 'en', connection = 'online' } = options;
  return describeComplete(completeSnapshot(snapshot), {
    ...localeOf(locale),
    isOnline: connection !== 'offline',
    isGone: connection === 'gone',
    sinceReceiptMs: options.sinceReceiptMs ?? 0,
    actions: options.actions ?? null,
    note: options.note ?? null,
    heading: options.heading ?? '',
    isolate: options.isolate ?? ((text) => text),
  });
}

function describeComplete(snapshot: Snapshot, context: RowContext): RowView {
  const { isGone } = context;
  const state = describeState(snapshot, context);
  const note = noteFor(snapshot, context);
  const isActive = snapshot.state === 'running' || snapshot.state === 'paused';
  const numbers = isActive && !isGone ? numbersOf(snapshot, context) : '';
  // The status text of a paused operation contains the percentage.
  const percent = snapshot.state === 'running' && !isGone ? percentText(snapshot, context) : '';
  return {
    look: note?.look ?? lookOf(snapshot, isGone),
    ...namesOf(snapshot, context),
    status: note?.status ?? state.status,
    percent,
    bar: describeBar(snapshot, context, joinParts(context, [percent, numbers])),
    numbers,
    detail: joinParts(context, [...state.detail, ...ownerAndElapsed(snapshot, context)]),
    hint: state.hint,
    code: state.code,
    verbs: verbsOf(snapshot, context),
  };
}

type Names = Pick<RowView, 'title' | 'subject' | 'target'>;

/** The target is omitted if it has the name of the subject. */
function namesOf(snapshot: Snapshot, { text, heading, isolate }: RowContext): Names {
  if (heading !== '') return { title: isolate(heading), subject: '', target: null };
  const { title, action, subject, target } = snapshot;

  return {
    title: title === null ? nameOf(text.actions, action) : isolate(title),
    subject: subject.name,
    target: target === null || target.name === subject.name ? null : target.name,
  };
}

function numbersOf(snapshot: Snapshot, context: RowContext): string {
  const { text, format, isOnline } = context;
  const phase = currentPhase(snapshot);
  if (!isFullPhase(phase)) return '';
  const isMoving =
    isOnline && snapshot.state === 'running' && !snapshot.stalled && noteFor(snapshot, context) === null;
  const rate = isMoving && phase.unit === 'bytes' ? (snapshot.rate ?? 0) : 0;
  return joinParts(context, [
    amountOf(phase, context),
    rate > 0 && `${format.size(rate)}/s`,
    isMoving && timeLeftOf(snapshot, context),
    !isOnline && text.lastKnown,
  ]);
}

/** The amount done; empty without a unit, where only the percentage is meaningful. */
function amountOf({ unit, done, total }: Phase, { text, format }: RowContext): string {
  if (unit === null || (total === null && done === 0)) return '';
  if (unit !== 'bytes') return text.steps(Math.floor(done), total, format);
  const size = format.size(done, { rounding: 'down' });
  return total === null ? size : text.amount(size, format.size(total));
}

function timeLeftOf(snapshot: Snapshot, { text, format }: RowContext): string {
  if (snapshot.etaMs === null) return '';
  const left = text.left(roundEta(snapshot.etaMs), format);
  const later = snapshot.phases
    .slice(snapshot.phaseIndex + 1)
    .map(({ name }) => (Object.hasOwn(text.laterPhases, name) ? text.laterPhases[name] : undefined))
    .find((name) => name !== undefined);
  return later === undefined ? left : text.leftThen(left, later);
}

/** The owner, and the running time. */
function ownerAndElapsed(snapshot: Snapshot, context: RowContext): string[] {
  const { text, format, isOnline, sinceReceiptMs, isolate } = context;
  const parts = snapshot.ownerName === '' ? [] : [text.by(isolate(snapshot.ownerName))];
  const isRunning = snapshot.state === 'running' && !context.isGone;
  if (!isRunning || snapshot.elapsedMs < 1000) return parts;
  const elapsedMs = snapshot.elapsedMs + (isOnline ? sinceReceiptMs : 0);
  return [...parts, text.elapsed(text.duration(elapsedMs, format))];
}
