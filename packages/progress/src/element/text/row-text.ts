import type { RoundedEta } from '../../core/eta.ts';
import type { StateReason } from '../../core/snapshot.ts';

export type Locale = 'en' | 'ja';

/** What a button asks for. The first four go to the server; the rest are the page's own business. */
export type RowVerb = 'cancel' | 'pause' | 'resume' | 'retry' | 'dismiss' | 'details' | 'open' | 'choose';

type Params = NonNullable<StateReason['params']>;

/** Every word that a row can show. Each language is one object of this type: a missing key does not compile. */
export interface RowText {
  /** Between parts of a line. */
  separator: string;
  actions: Readonly<Record<string, string>>;
  phases: Readonly<Record<string, string>>;
  /** What comes after the current phase and cannot be estimated. */
  thenPhases: Readonly<Record<string, string>>;
  verbs: Readonly<Record<RowVerb | 'again', string>>;
  reasons: Readonly<Record<string, (params: Params) => string>>;
  /** By code; a code that only begins with the key counts too. */
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
  place: (position: number) => string;
  noProgress: (duration: string) => string;
  pausedAt: (percent: string) => string;
  cancelledAfter: (size: string) => string;
  nothingLeft: string;
  /** Of an operation that another program carries out: wcc can only ask it to stop. */
  cancellingElsewhere: string;
  doneIn: (duration: string) => string;
  cloneIn: (duration: string) => string;
  written: (size: string) => string;
  shares: (size: string) => string;
  doneBut: string;
  restarted: (time: string) => string;
  goesOn: string;
  /** Of an upload whose file has to be chosen again; `percent` is empty before its first bytes. */
  chooseAgain: (name: string, percent: string) => string;
  /** Of an operation that another program carries out. */
  goesOnWithReport: string;
  /** The server no longer knows the operation. */
  unknown: string;
  lastSeenAt: (percent: string) => string;
  lastKnown: string;
  noConnection: string;
}

/** `1.5` and `2.4 GiB` when both have the unit of the greater, else both whole. */
export function sameUnit(done: string, total: string): [string, string] {
  const [number = done, unit] = done.split(' ');
  return total.endsWith(` ${unit ?? ''}`) ? [number, total] : [done, total];
}
