import { isTerminal } from '../core/state-machine.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { percent } from '../core/units.ts';
import { currentPhase, isFullPhase } from './row-view.ts';
import type { RowBar, RowContext } from './row-view.ts';
import type { RowText } from './text/row-text.ts';

const blinkMs = 1000;
// 100 belongs to `succeeded` alone: a phase that has all its bytes is not the end of the operation.
const nearly = 99.9;

/** 0 to 99.9, rounded down; `null` when the current phase has no total, or no amount that means anything. */
export function percentDone(snapshot: Snapshot): number | null {
  const phase = currentPhase(snapshot);
  if (!isFullPhase(phase) || phase.total === 0) return null;
  const value = percent(phase.done, phase.total);
  return value === null ? null : Math.min(value, nearly);
}

/** `62.5 %`, or an empty string. */
export function percentText(snapshot: Snapshot, text: RowText): string {
  const value = percentDone(snapshot);
  return value === null ? '' : text.percent(value.toFixed(1));
}

export function describeBar(
  snapshot: Snapshot,
  context: RowContext,
  valueText: string,
): RowBar | 'hidden' | null {
  const { state } = snapshot;
  if (context.isUnknown || state === 'queued' || state === 'succeeded' || state === 'cancelled') return null;
  const value = percentDone(snapshot);
  if (value !== null) return { value: Math.round(value * 10) / 1000, valueText };
  if (isTerminal(state)) return null;
  // Without a number a bar only says that something goes on, and only while it does.
  if (state !== 'running' || isBlink(snapshot)) return 'hidden';
  return { value: null, valueText };
}

/** Looking, reserving, sharing blocks: over before an eye has found the bar. */
function isBlink(snapshot: Snapshot): boolean {
  const phase = currentPhase(snapshot);
  return phase === undefined || (phase.elapsedMs ?? 0) < blinkMs;
}
