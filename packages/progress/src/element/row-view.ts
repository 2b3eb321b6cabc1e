import type { OperationError, Phase, PhaseName, Snapshot } from '../core/snapshot.ts';
import type { Rights } from '../core/protocol.ts';
import type { RowText, RowVerb } from './text/row-text.ts';

/** Appearance of the row; depends on the state, not on texts. */
export type RowLook =
  | 'queued'
  | 'running'
  | 'stalled'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'succeeded'
  | 'warning'
  | 'failed'
  | 'interrupted'
  | 'unknown';

/** The bar of a row. */
export interface RowBar {
  /** 0 to 1; `null` if the total is unknown. */
  value: number | null;
  /** The value for screen readers. */
  valueText: string;
}

/** The content of a row as plain text, independent of the DOM. */
export interface RowView {
  look: RowLook;
  action: string;
  subject: string;
  target: string | null;
  /** Line 2: state or phase. */
  status: string;
  /** `62.5 %`, right of line 2; empty if unknown. */
  percent: string;
  /** `null`: no bar. `hidden`: an invisible bar, so that a short phase does not change the height of the row. */
  bar: RowBar | 'hidden' | null;
  /** Line 4: amounts, rate, time left. */
  numbers: string;
  /** Line 5. */
  detail: string;
  /** The hint of an error. */
  hint: string;
  code: string;
  verbs: RowVerb[];
}

/** The page's own texts and buttons for an operation that the page drives, such as an upload. */
export interface RowNote {
  /** Replaces line 2. */
  status: string;
  /** Replaces the look. @default the look of the state */
  look?: RowLook;
  /** Buttons in addition to those of the state. */
  verbs?: readonly RowVerb[];
}

/** Input of a row besides the snapshot. */
export interface RowContext {
  text: RowText;
  isOnline: boolean;
  /** Time since the snapshot arrived, from a monotonic clock. */
  sinceReceiptMs: number;
  may: Rights | null;
  /** Buttons that the page handles: `open`, `choose`, `details`, `dismiss`. */
  offers: readonly RowVerb[];
  /** The server no longer knows the operation. */
  isUnknown: boolean;
  /** @default null */
  note?: RowNote | null;
  /** Returns message and hint of an error in the reader's language; `null`: the server's texts. */
  explain: ((error: OperationError) => { message: string; hint: string }) | null;
  locale: string;
}

export function currentPhase(snapshot: Snapshot): Phase | PhaseName | undefined {
  return snapshot.phases[snapshot.phaseIndex];
}

export function isFullPhase(phase: Phase | PhaseName | undefined): phase is Phase {
  return phase !== undefined && 'done' in phase;
}

export function isWarned(snapshot: Snapshot): boolean {
  return snapshot.state === 'succeeded' && snapshot.warnings.length > 0;
}

/** True for an upload that no client sends; it can resume from the same file. */
export function isWaitingForFile({ state, stateReason }: Snapshot): boolean {
  return state === 'interrupted' && stateReason?.code === 'waiting_for_client';
}

/** The page's note. If the operation is paused, cancelling or ended, the server's state has priority. */
export function noteFor({ state }: Snapshot, { note, isUnknown }: RowContext): RowNote | null {
  const isOpen = state === 'running' || state === 'interrupted' || state === 'queued';
  return isOpen && !isUnknown ? (note ?? null) : null;
}

export function lookOf(snapshot: Snapshot, isUnknown: boolean): RowLook {
  if (isUnknown) return 'unknown';
  if (snapshot.state === 'running' && snapshot.stalled) return 'stalled';
  if (isWarned(snapshot)) return 'warning';
  return snapshot.state;
}

/** Joins the parts that are not empty. */
export function joinParts(text: RowText, parts: (string | null | false | undefined)[]): string {
  return parts.filter((part) => typeof part === 'string' && part !== '').join(text.separator);
}
