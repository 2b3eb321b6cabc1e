import type { OperationState } from '@wcc/progress';

/** Texts of the list of operations. */
export interface OperationListText {
  title: string;
  active: string;
  ended: string;
  noneActive: string;
  emptyTitle: string;
  emptyLead: string;
  more: string;
  /** For an upload whose file must be chosen again; `percent` is empty before the first bytes. */
  chooseAgain: (file: string, percent: string) => string;
  filters: {
    title: string;
    state: string;
    action: string;
    owner: string;
    subject: string;
    from: string;
    to: string;
    any: string;
    runningOrWaiting: string;
    anyone: string;
    mine: string;
    clear: string;
    nothing: string;
    nothingLead: string;
  };
  states: Record<OperationState, string>;
}

export interface OperationText {
  title: string;
  back: string;
  notFound: string;
  notFoundHint: string;
  phases: string;
  phaseStates: Record<'pending' | 'running' | 'done' | 'skipped' | 'failed', string>;
  rate: string;
  ratePeak: (rate: string) => string;
  rateNow: (rate: string) => string;
  stepsPerSecond: (value: string) => string;
  bytes: string;
  byteNames: Record<'virtual' | 'data' | 'skipped' | 'shared' | 'written', string>;
  method: string;
  /** By `method` of the snapshot; an unknown one is shown as it is. */
  methods: Readonly<Record<string, string>>;
  log: string;
  noLog: string;
  error: string;
  code: string;
  detail: string;
  warnings: string;
  about: string;
  owner: string;
  created: string;
  started: string;
  endedAt: string;
  label: string;
  id: string;
  subject: string;
  target: string;
  result: string;
  retryOf: string;
  partOf: string;
  others: (name: string) => string;
  showImage: string;
  showVm: string;
  raw: string;
  copy: string;
  copied: string;
}

export interface TrayText {
  title: string;
  counts: Record<'running' | 'waiting' | 'failed' | 'done', (n: string) => string>;
  open: string;
  fold: string;
  shrink: string;
  group: (kind: string, summary: string) => string;
}

/** Announcements to screen readers. */
export interface AnnouncementsText {
  started: (what: string) => string;
  quarter: (what: string, percent: string) => string;
  stalled: (what: string) => string;
  paused: (what: string) => string;
  resumed: (what: string) => string;
  cancelling: (what: string) => string;
  cancelled: (what: string) => string;
  succeeded: (what: string) => string;
  failed: (what: string, why: string) => string;
  interrupted: (what: string) => string;
  unknown: (what: string) => string;
  silent: (what: string) => string;
  waitsForFile: (what: string) => string;
  copyOf: (source: string, target: string) => string;
  making: (target: string) => string;
}

/** All texts of this feature. */
export interface OperationsText {
  list: OperationListText;
  operation: OperationText;
  tray: TrayText;
  announcements: AnnouncementsText;
}
