import { formatBytes } from '../../core/units.ts';
import { sameUnit } from './row-text.ts';
import type { RowText } from './row-text.ts';

const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });
const endings: Record<string, string> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

function duration(durationMs: number): string {
  if (durationMs < 950) return `${(Math.max(100, durationMs) / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const en: RowText = {
  separator: ' · ',
  actions: {
    copy_vm_image: 'Copy image',
    make_sample_image: 'Make sample image',
    create_vm: 'Create machine',
    quick_create_vm: 'Quick-create machine',
    copy_vm: 'Copy machine',
    delete_vm: 'Delete machine',
    upload_image: 'Upload image',
    import_image: 'Import image',
    convert_image: 'Convert image',
    verify_image: 'Check image',
    delete_image: 'Delete image',
  },
  phases: {
    inspect: 'Inspecting the source',
    reserve: 'Reserving space',
    clone: 'Sharing blocks',
    receive: 'Receiving data',
    transfer: 'Copying data',
    write: 'Writing data',
    flush: 'Flushing to the disk',
    verify: 'Checking the copy',
    publish: 'Publishing',
    check: 'Checking',
    disk_1: 'Creating disk 1',
    disk_2: 'Creating disk 2',
    disk_3: 'Creating disk 3',
    disk_4: 'Creating disk 4',
    disk_5: 'Creating disk 5',
    disk_6: 'Creating disk 6',
    disk_7: 'Creating disk 7',
    disk_8: 'Creating disk 8',
    seed: 'Writing first-boot data',
    define: 'Defining the machine',
    start: 'Starting the machine',
    stop: 'Stopping the machine',
    undefine: 'Removing the machine',
    delete_disks: 'Deleting its disks',
    connect: 'Connecting',
    convert: 'Converting',
    read: 'Reading data',
    delete: 'Deleting',
    work: 'Working',
  },
  thenPhases: { verify: 'checking' },
  verbs: {
    cancel: 'Cancel',
    pause: 'Pause',
    resume: 'Resume',
    retry: 'Retry',
    again: 'Start again',
    dismiss: 'Dismiss',
    details: 'Details',
    open: 'Open',
    choose: 'Choose file…',
  },
  reasons: {
    waiting_for_place: ({ limit }) =>
      limit === 1
        ? 'one copy runs at a time'
        : limit === undefined
          ? 'too many copies are running'
          : `${limit} copies run at a time`,
    pool_unavailable: () => 'the pool is not available',
    requested: () => '',
    resuming: () => 'resuming…',
    no_space: ({ needs, free }) => {
      const sizes = typeof needs === 'number' && typeof free === 'number';
      const figures = sizes ? `: needs ${formatBytes(needs)}, ${formatBytes(free)} free` : '';
      return `the disk is full${figures}. Resumes automatically when there is space`;
    },
    quota: () => "the file system's quota is used up. Free some space, then resume",
    server_stopped: () => 'The server stopped',
    server_restarted: () => 'The server restarted',
    publisher_silent: () => 'No report from the program that runs it',
    waiting_for_client: () => 'Waiting for the sender to resume',
    not_registered: () => 'The copy is complete, but could not be inspected',
  },
  warnings: {
    cancel_too_late: 'the cancel was too late, the operation had already completed',
    source_open_for_writing: 'a program had the source open for writing; the copy may be inconsistent',
    published_without_exclusive_rename: 'the file system has no exclusive rename; a link was used',
    preallocation_unsupported: 'the file system cannot reserve space',
    preallocation_needs_kernel_calls: 'space could not be reserved',
    restarted_source_changed: 'the source had changed, so the copy started again',
    upload_buffered:
      'a proxy buffered the data, so progress was shown in steps (nginx: proxy_request_buffering off)',
    copy_file_range_refused: 'the kernel could not copy these files, so they were read and written (slower)',
  },
  states: {
    queued: 'Waiting',
    paused: 'Paused',
    cancelling: 'Cancelling… cleaning up',
    interrupted: 'Interrupted',
    running: 'Running',
    succeeded: 'Done',
    failed: 'Failed',
    cancelled: 'Cancelled',
  },
  step: (index, count) => `${index} of ${count}`,
  amount: (done, total) => sameUnit(done, total).join(' of '),
  steps: (done, total) =>
    total === null
      ? `${done} ${done === 1 ? 'step' : 'steps'}`
      : `${done} of ${total} ${total === 1 ? 'step' : 'steps'}`,
  percent: (value) => `${value} %`,
  duration,
  left: (eta) => {
    if (eta.kind === 'few_seconds') return 'a few seconds left';
    if (eta.kind === 'seconds') return `about ${eta.seconds} s left`;
    if (eta.kind === 'minutes') return `about ${eta.minutes} min left`;
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
  nothingLeft: 'no files left behind',
  cancellingElsewhere: 'Cancelling… waiting for the program that runs it',
  doneIn: (time) => `Done in ${time}`,
  cloneIn: (time) => `Instant copy in ${time}`,
  written: (size) => `${size} written`,
  shares: (size) => `shares ${size}`,
  doneBut: 'Done, but:',
  restarted: (time) => `The server restarted at ${time}`,
  resumesAutomatically: 'Resumes automatically…',
  chooseAgain: (name, percent) =>
    percent === '' ? `Choose ${name} again to send it` : `Choose ${name} again to resume at ${percent}`,
  resumesWithNextReport: 'Resumes with its next report',
  unknown: 'The server no longer knows this operation',
  lastSeenAt: (percent) => `Last seen at ${percent}`,
  lastKnown: 'last known state',
  noConnection: 'No connection to the server',
};
