import { sameUnit, shortDuration } from './catalogue.ts';
import type { RowText } from './catalogue.ts';

const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });
const endings: Record<string, string> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

/** English: the language behind all others. */
export const en: RowText = {
  dir: 'ltr',
  separator: ' · ',
  actions: {},
  phases: { work: 'Working' },
  laterPhases: {},
  verbs: {
    cancel: 'Cancel',
    pause: 'Pause',
    resume: 'Resume',
    retry: 'Retry',
    again: 'Start again',
    dismiss: 'Dismiss',
    details: 'Details',
    open: 'Open',
  },
  reasons: {
    requested: () => '',
    server_stopped: () => 'The server stopped',
    server_restarted: () => 'The server restarted',
    process_lost: () => 'The program that ran it has ended',
    process_unreachable: () => 'No contact with the program that runs it',
  },
  warnings: { cancel_too_late: 'the cancel was too late, the operation had already completed' },
  states: {
    queued: 'Waiting',
    paused: 'Paused',
    cancelling: 'Cancelling…',
    interrupted: 'Interrupted',
    running: 'Running',
    succeeded: 'Done',
    failed: 'Failed',
    cancelled: 'Cancelled',
  },
  step: (index, count) => `${index} of ${count}`,
  amount: (done, total) => sameUnit(done, total).join(' of '),
  steps: (done, total, { number, plural }) => {
    const steps = plural(total ?? done, { one: 'step', other: 'steps' });
    return `${total === null ? number(done) : `${number(done)} of ${number(total)}`} ${steps}`;
  },
  percent: (value) => `${value} %`,
  duration: shortDuration({ h: 'h', min: 'min', s: 's' }),
  left: (eta, { number }) => {
    if (eta.kind === 'few_seconds') return 'a few seconds left';
    if (eta.kind === 'seconds') return `about ${eta.seconds} s left`;
    if (eta.kind === 'minutes') return `about ${number(eta.minutes)} min left`;
    if (eta.kind === 'more_than_a_day') return 'more than a day left';
    return eta.minutes === 0 ? `about ${eta.hours} h left` : `about ${eta.hours} h ${eta.minutes} min left`;
  },
  leftThen: (left, phase) => `${left}, then ${phase}`,
  elapsed: (time) => `running for ${time}`,
  by: (name) => `by ${name}`,
  skipped: (size) => `${size} of empty space skipped`,
  shared: (size) => `${size} shared`,
  queuePosition: (position) =>
    position === 1 ? 'next in line' : `${position}${endings[ordinals.select(position)]} in line`,
  noProgress: (time) => `No progress for ${time}`,
  pausedAt: (percent) => `Paused at ${percent}`,
  cancelledAfter: (size) => `Cancelled after ${size}`,
  doneIn: (time) => `Done in ${time}`,
  cloneIn: (time) => `Instant copy in ${time}`,
  written: (size) => `${size} written`,
  shares: (size) => `shares ${size}`,
  doneBut: 'Done, but:',
  restarted: (time) => `The server restarted at ${time}`,
  gone: 'The server no longer knows this operation',
  lastSeenAt: (percent) => `Last seen at ${percent}`,
  lastKnown: 'last known state',
  noConnection: 'No connection to the server',
  remark: () => '',
  error: (error) => error,
};
