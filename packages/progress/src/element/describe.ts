import type { Phase, Snapshot } from '../core/snapshot.ts';
import { formatBytes, formatRate } from '../core/units.ts';
import { roundEta } from '../core/eta.ts';
import { describeBar, percentText } from './describe-bar.ts';
import { describeState } from './describe-state.ts';
import { verbsOf } from './verbs.ts';
import type { RowText } from './text/row-text.ts';
import { nameOf } from './text/catalogue.ts';
import { currentPhase, isFullPhase, joinParts, lookOf, noteFor } from './row-view.ts';
import type { RowContext, RowView } from './row-view.ts';

/** Turns a snapshot into the texts and numbers of one row. Pure: the same input gives the same row. */
export function describeRow(snapshot: Snapshot, context: RowContext): RowView {
  const { text } = context;
  const state = describeState(snapshot, context);
  const note = noteFor(snapshot, context);
  const isActive = snapshot.state === 'running' || snapshot.state === 'paused';
  const numbers = isActive && !context.isUnknown ? numbersOf(snapshot, context) : '';
  // The status text of a paused operation contains the percentage.
  const percent = snapshot.state === 'running' ? percentText(snapshot, text) : '';
  return {
    look: note?.look ?? lookOf(snapshot, context.isUnknown),
    action: nameOf(text.actions, snapshot.action),
    subject: snapshot.subject.name,
    target: targetOf(snapshot),
    status: note?.status ?? state.status,
    percent: context.isUnknown ? '' : percent,
    bar: describeBar(snapshot, context, joinParts(text, [percent, numbers])),
    numbers,
    detail: joinParts(text, [...state.detail, ...ownerAndElapsed(snapshot, context)]),
    hint: state.hint,
    code: state.code,
    verbs: verbsOf(snapshot, context),
  };
}

/** The target's name, unless it equals the subject's name. */
function targetOf({ subject, target }: Snapshot): string | null {
  return target === null || target.name === subject.name ? null : target.name;
}

function numbersOf(snapshot: Snapshot, context: RowContext): string {
  const { text, isOnline } = context;
  const phase = currentPhase(snapshot);
  if (!isFullPhase(phase)) return '';
  const isMoving =
    isOnline && snapshot.state === 'running' && !snapshot.stalled && noteFor(snapshot, context) === null;
  const rate = isMoving && phase.unit === 'bytes' && snapshot.rate !== null && snapshot.rate > 0;
  return joinParts(text, [
    amountOf(phase, text),
    rate && formatRate(snapshot.rate ?? 0),
    isMoving && timeLeftOf(snapshot, text),
    !isOnline && text.lastKnown,
  ]);
}

function amountOf({ unit, done, total }: Phase, text: RowText): string {
  if (!Number.isFinite(done)) return '';
  if (unit !== 'bytes') return stepsOf({ unit, done, total }, text);
  const show = (value: number, rounding: 'down' | 'nearest'): string => formatBytes(value, { rounding });
  if (total === null || !Number.isFinite(total)) return done > 0 ? show(done, 'down') : '';
  return text.amount(show(done, 'down'), show(total, 'nearest'));
}

/** The steps done; empty without a unit, where only the percentage is meaningful. */
function stepsOf({ unit, done, total }: Pick<Phase, 'unit' | 'done' | 'total'>, text: RowText): string {
  if (unit === null) return '';
  const isKnown = total !== null && Number.isFinite(total);
  if (isKnown) return text.steps(Math.floor(done), total);
  return done > 0 ? text.steps(Math.floor(done), null) : '';
}

function timeLeftOf(snapshot: Snapshot, text: RowText): string {
  if (snapshot.etaMs === null) return '';
  const left = text.left(roundEta(snapshot.etaMs));
  const later = snapshot.phases.slice(snapshot.phaseIndex + 1).find((phase) => phase.name in text.thenPhases);
  return later === undefined ? left : text.leftThen(left, text.thenPhases[later.name] ?? later.name);
}

/** The owner, and the running time. */
function ownerAndElapsed(snapshot: Snapshot, context: RowContext): string[] {
  const { text, isOnline, sinceReceiptMs } = context;
  const parts = snapshot.ownerName === '' ? [] : [text.by(snapshot.ownerName)];
  const isRunning = snapshot.state === 'running' && !context.isUnknown;
  if (!isRunning || snapshot.elapsedMs < 1000) return parts;
  const elapsedMs = snapshot.elapsedMs + (isOnline ? sinceReceiptMs : 0);
  return [...parts, text.elapsed(text.duration(elapsedMs))];
}
