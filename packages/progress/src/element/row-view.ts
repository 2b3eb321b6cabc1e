import type { OperationError, Phase, PhaseName, Snapshot } from '../core/snapshot.ts';
import type { Rights } from '../core/protocol.ts';
import type { RowText, RowVerb } from './text/row-text.ts';

/** What the row looks like: chosen from the state, never from words. */
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

export interface RowBar {
  /** 0 to 1; `null` when the total is unknown. */
  value: number | null;
  valueText: string;
}

/** Everything a row shows, as plain text: made without a DOM, painted by the element. */
export interface RowView {
  look: RowLook;
  action: string;
  subject: string;
  target: string | null;
  /** Line 2: state or phase. */
  status: string;
  /** `62.5 %`, right of line 2; empty when there is none to tell. */
  percent: string;
  /** `null`: no bar. `hidden`: its place is kept, so that a phase of a blink does not make the row jump. */
  bar: RowBar | 'hidden' | null;
  /** Line 4: amounts, rate, time left. */
  numbers: string;
  /** Line 5. */
  detail: string;
  /** What an error says besides its message. */
  hint: string;
  code: string;
  verbs: RowVerb[];
}

/** What the page knows better than the server about an operation that it feeds itself, as an upload. */
export interface RowNote {
  /** Takes the place of line 2. */
  status: string;
  /** @default the look of the state */
  look?: RowLook;
  /** Offered besides what the state asks for. */
  verbs?: readonly RowVerb[];
}

export interface RowContext {
  text: RowText;
  isOnline: boolean;
  /** Time since the snapshot came, from a monotonic clock. */
  sinceReceiptMs: number;
  may: Rights | null;
  /** What the page itself does when asked: `open`, `choose`, `details`, `dismiss`. */
  offers: readonly RowVerb[];
  /** The server no longer knows the operation. */
  isUnknown: boolean;
  /** @default null */
  note?: RowNote | null;
  /** Says an error in the reader's language. */
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

/** An upload that nobody sends now: whoever has the file can go on with it. */
export function isWaitingForFile({ state, stateReason }: Snapshot): boolean {
  return state === 'interrupted' && stateReason?.code === 'waiting_for_client';
}

/** A pause, a cancel and an end are the server's word alone. */
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

/** Parts that are missing are left out: a row never shows "–" or a 0 that nobody measured. */
export function joinParts(text: RowText, parts: (string | null | false | undefined)[]): string {
  return parts.filter((part) => typeof part === 'string' && part !== '').join(text.separator);
}
