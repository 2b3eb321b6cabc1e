import { isTerminal } from '../core/state-machine.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { percent } from '../core/units.ts';
import { currentPhase, isFullPhase } from './row-view.ts';
import type { RowBar, RowContext } from './row-view.ts';
import type { Locale } from './text/registry.ts';

const minShownMs = 1000;
// Only `succeeded` shows 100: a phase with all its bytes is not the end of the operation.
const maxBeforeEnd = 99.9;

/** 0 to 99.9, rounded down; `null` if the current phase has no total or no valid amount. */
function percentDone(snapshot: Snapshot): number | null {
  const phase = currentPhase(snapshot);
  if (!isFullPhase(phase) || phase.total === 0) return null;
  const value = percent(phase.done, phase.total);
  return value === null ? null : Math.min(value, maxBeforeEnd);
}

/** `62.5 %`, or an empty string. */
export function percentText(snapshot: Snapshot, { text, format }: Locale): string {
  const value = percentDone(snapshot);
  return value === null ? '' : text.percent(format.number(value, 1));
}

/** The bar of a row: a value, `hidden` (keeps its space), or `null` (no bar). */
export function describeBar(
  snapshot: Snapshot,
  context: RowContext,
  valueText: string,
): RowBar | 'hidden' | null {
  const { state } = snapshot;
  if (context.isGone || state === 'queued' || state === 'succeeded' || state === 'cancelled') return null;
  const value = percentDone(snapshot);
  if (value !== null) return { value: Math.round(value * 10) / 1000, valueText };
  if (isTerminal(state)) return null;
  // A bar without a value only shows activity, so it appears only while the operation runs.
  if (state !== 'running' || isTooShortToShow(snapshot)) return 'hidden';
  return { value: null, valueText };
}

/** Phases that are too short to show a bar, such as the inspection of a file. */
function isTooShortToShow(snapshot: Snapshot): boolean {
  const phase = currentPhase(snapshot);
  return phase === undefined || (phase.elapsedMs ?? 0) < minShownMs;
}
