import type { RoundedEta } from '../../core/eta.ts';
import type { OperationError, OperationState, Snapshot, StateReason } from '../../core/snapshot.ts';
import type { LocaleFormat } from './format.ts';

type Names = Readonly<Record<string, string>>;
type ReasonText = (params: NonNullable<StateReason['params']>, format: LocaleFormat) => string;

/** Texts by code. A catalogue adds codes; those that it lacks come from the language before it. */
interface Tables {
  /** Titles by action: `{ copy_vm_image: 'Copy image' }`. An unknown action is made readable: `Copy vm image`. */
  actions: Names;
  /** What a phase does: `{ transfer: 'Copying data' }`. */
  phases: Names;
  /** Later phases to name after the time left: `{ verify: 'checking' }` → `about 10 s left, then checking`. */
  laterPhases: Names;
  /** Labels of buttons; `again` is the label of `retry` after a cancel. */
  verbs: Names;
  /** Why an operation is queued, paused or interrupted. */
  reasons: Readonly<Record<string, ReasonText>>;
  /** By code; a key also matches codes that start with it and an underscore. */
  warnings: Names;
  states: Readonly<Record<OperationState, string>>;
}

/** Sentences. Functions whose last parameter is a `LocaleFormat` format numbers and choose plural forms with it. */
interface Sentences {
  /** Direction of the script. */
  dir: 'ltr' | 'rtl';
  /** Between parts of a line. */
  separator: string;
  step: (index: number, count: number) => string;
  /** Both sizes; the unit of `done` is omitted when `total` has the same one. */
  amount: (done: string, total: string) => string;
  /** `12 of 40 steps`; without a total, `12 steps`. */
  steps: (done: number, total: number | null, format: LocaleFormat) => string;
  percent: (value: string) => string;
  duration: (durationMs: number, format: LocaleFormat) => string;
  left: (eta: RoundedEta, format: LocaleFormat) => string;
  leftThen: (left: string, phase: string) => string;
  elapsed: (duration: string) => string;
  /** The line that names the owner. */
  by: (name: string) => string;
  skipped: (size: string) => string;
  shared: (size: string) => string;
  queuePosition: (position: number) => string;
  noProgress: (duration: string) => string;
  pausedAt: (percent: string) => string;
  cancelledAfter: (size: string) => string;
  doneIn: (duration: string) => string;
  cloneIn: (duration: string) => string;
  written: (size: string) => string;
  shares: (size: string) => string;
  doneBut: string;
  restarted: (time: string) => string;
  /** The server no longer knows the operation. */
  gone: string;
  lastSeenAt: (percent: string) => string;
  lastKnown: string;
  noConnection: string;
  /** A promise that follows the state, e.g. `resumes automatically`; empty for none. */
  remark: (snapshot: Snapshot) => string;
  /** Message and hint of an error in this language. The default are the server's own. */
  error: (error: OperationError) => { message: string; hint: string };
}

/** Every text of one language. */
export type RowText = Sentences & Tables;

/**
 * The texts of one language, for `registerLocale`. Every key is optional: what is missing comes from the more general
 * tag (`de` for `de-AT`) and at last from English.
 */
export type Catalogue = Partial<Sentences> & { [Table in keyof Tables]?: Partial<Tables[Table]> };

/** Removes the unit of `done` if `total` has the same one: `1.5`, `2.4 GiB`. */
export function sameUnit(done: string, total: string): [string, string] {
  const [number = done, unit] = done.split(' ');
  return total.endsWith(` ${unit ?? ''}`) ? [number, total] : [done, total];
}

/** The two largest units of a duration, with their names in one language; tenths of a second below one second. */
export function shortDuration(units: { h: string; min: string; s: string }): RowText['duration'] {
  return (durationMs, { number }) => {
    if (durationMs < 950) return `${number(Math.max(100, durationMs) / 1000, 1)} ${units.s}`;
    const seconds = Math.round(durationMs / 1000);
    if (seconds < 60) return `${seconds} ${units.s}`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} ${units.min} ${seconds % 60} ${units.s}`;
    const minutes = Math.floor(seconds / 60);
    return `${Math.floor(minutes / 60)} ${units.h} ${minutes % 60} ${units.min}`;
  };
}
