import type { RoundedEta } from '../../core/eta.ts';
import type { StateReason } from '../../core/snapshot.ts';

/** The languages of the element. */
export type Locale = 'en' | 'ja';

/** The action of a button. The server handles the first four, the page the rest. */
export type RowVerb = 'cancel' | 'pause' | 'resume' | 'retry' | 'dismiss' | 'details' | 'open' | 'choose';

type Params = NonNullable<StateReason['params']>;

/** Every text of a row. Each language is one object of this type, so a missing text does not compile. */
export interface RowText {
  /** Between parts of a line. */
  separator: string;
  actions: Readonly<Record<string, string>>;
  phases: Readonly<Record<string, string>>;
  /** Later phases without an estimate, as named after the time left. */
  thenPhases: Readonly<Record<string, string>>;
  verbs: Readonly<Record<RowVerb | 'again', string>>;
  reasons: Readonly<Record<string, (params: Params) => string>>;
  /** By code; a key also matches codes that start with it. */
  warnings: Readonly<Record<string, string>>;
  states: {
    queued: string;
    paused: string;
    cancelling: string;
    interrupted: string;
    running: string;
    succeeded: string;
    failed: string;
    cancelled: string;
  };
  step: (index: number, count: number) => string;
  /** Both numbers in one unit. */
  amount: (done: string, total: string) => string;
  /** `12 of 40 steps`; without a total, `12 steps`. */
  steps: (done: number, total: number | null) => string;
  percent: (value: string) => string;
  duration: (durationMs: number) => string;
  left: (eta: RoundedEta) => string;
  leftThen: (left: string, phase: string) => string;
  elapsed: (duration: string) => string;
  by: (name: string) => string;
  skipped: (size: string) => string;
  shared: (size: string) => string;
  queuePosition: (position: number) => string;
  noProgress: (duration: string) => string;
  pausedAt: (percent: string) => string;
  cancelledAfter: (size: string) => string;
  nothingLeft: string;
  /** For an operation of another program, which has to stop itself. */
  cancellingElsewhere: string;
  doneIn: (duration: string) => string;
  cloneIn: (duration: string) => string;
  written: (size: string) => string;
  shares: (size: string) => string;
  doneBut: string;
  restarted: (time: string) => string;
  resumesAutomatically: string;
  /** For an upload whose file must be chosen again; `percent` is empty before the first bytes. */
  chooseAgain: (name: string, percent: string) => string;
  /** For an operation of another program. */
  resumesWithNextReport: string;
  /** The server no longer knows the operation. */
  unknown: string;
  lastSeenAt: (percent: string) => string;
  lastKnown: string;
  noConnection: string;
}

/** Removes the unit of `done` if `total` has the same one: `1.5`, `2.4 GiB`. */
export function sameUnit(done: string, total: string): [string, string] {
  const [number = done, unit] = done.split(' ');
  return total.endsWith(` ${unit ?? ''}`) ? [number, total] : [done, total];
}
