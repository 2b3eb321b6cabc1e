import type { Phase, PhaseName, Snapshot } from '../core/snapshot.ts';
import type { Locale } from './text/registry.ts';

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
  | 'gone';

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
  /** The heading, the title of the snapshot, or the name of the action. */
  title: string;
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
  /** Line 5: "by" the owner, unless `ownerName` is empty; then the running time. */
  detail: string;
  /** The hint of an error. */
  hint: string;
  code: string;
  /** Verbs of the buttons, in their order. */
  verbs: string[];
}

/** The page's own text for an operation that the page drives, such as an upload. */
export interface RowNote {
  /** Replaces line 2. */
  status: string;
  /** Replaces the look. @default the look of the state */
  look?: RowLook;
}

/** State of the feed of snapshots: see `WccProgressElement.connection`. */
export type FeedState = 'online' | 'offline' | 'paused' | 'gone';

/** Options of {@link describeRow}. */
export interface RowOptions {
  /** BCP 47 tag. @default 'en' */
  locale?: string;
  /** @default 'online' */
  connection?: FeedState;
  /** Time since the snapshot arrived, from a monotonic clock. It is added to durations. @default 0 */
  sinceReceiptMs?: number;
  /** Verbs that have a button, if the state allows it. @default none */
  actions?: Readonly<Record<string, boolean | string>> | null;
  /** Replaces line 2, unless the operation is paused, cancelling or ended. @default null */
  note?: RowNote | null;
  /** Replaces title, subject and target. @default '' */
  heading?: string;
  /** Marks names and texts of other programs inside a line, e.g. by `<bdi>` marks. @default unchanged */
  isolate?: (text: string) => string;
}

/** The options of a row, completed. */
export interface RowContext extends Locale, Required<Omit<RowOptions, 'locale' | 'connection'>> {
  isOnline: boolean;
  /** The server no longer knows the operation. */
  isGone: boolean;
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

/** The page's note. If the operation is paused, cancelling or ended, the server's state has priority. */
export function noteFor({ state }: Snapshot, { note, isGone }: RowContext): RowNote | null {
  const isOpen = state === 'running' || state === 'interrupted' || state === 'queued';
  return isOpen && !isGone ? note : null;
}

export function lookOf(snapshot: Snapshot, isGone: boolean): RowLook {
  if (isGone) return 'gone';
  if (snapshot.state === 'running' && snapshot.stalled) return 'stalled';
  if (isWarned(snapshot)) return 'warning';
  return snapshot.state;
}

/** Joins the parts that are not empty. */
export function joinParts({ text }: Locale, parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false && part !== '').join(text.separator);
}
