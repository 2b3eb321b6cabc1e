/**
 * The codes inside an operation that a person reads as words: a console, an element or a command line has a
 * text for each, and shows a code it does not know as it is.
 */
export const operationActions = [
  'copy_vm_image',
  'make_sample_image',
  'upload_image',
  'create_vm',
  'quick_create_vm',
  'copy_vm',
  'delete_vm',
  'import_image',
  'convert_image',
  'verify_image',
  'delete_image',
] as const;
export type OperationAction = (typeof operationActions)[number];

export const operationPhases = [
  'inspect',
  'reserve',
  'clone',
  /** bytes come from a client or another server */
  'receive',
  'transfer',
  'write',
  'flush',
  'verify',
  'publish',
  /** of a qcow2 image: its tables; of a machine: what is asked for is possible */
  'check',
  /** of a machine: each disk, then first-boot data, definition, start */
  'disk_1',
  'disk_2',
  'disk_3',
  'disk_4',
  'disk_5',
  'disk_6',
  'disk_7',
  'disk_8',
  'seed',
  'define',
  'start',
  'stop',
  'undefine',
  'delete_disks',
  /** asking another server for a file */
  'connect',
  'convert',
  /** reading an image for its digest */
  'read',
  'delete',
  /** of an operation that another program reports, when it names no other */
  'work',
] as const;
export type OperationPhase = (typeof operationPhases)[number];

/** Why an operation is queued, paused or interrupted. */
export const stateReasonCodes = [
  /** queued: `limit` operations of this pool run already */
  'waiting_for_place',
  /** queued or interrupted: the pool's directory is not there */
  'pool_unavailable',
  /** paused by a person */
  'requested',
  /** paused, and waiting for a place to go on */
  'resuming',
  /** paused: `needs` and `free` in bytes; goes on by itself */
  'no_space',
  /** paused: the file system's quota; goes on when resumed */
  'quota',
  /** interrupted by a graceful stop */
  'server_stopped',
  /** interrupted by a crash */
  'server_restarted',
  /** interrupted: the program that reports it is silent for longer than its lease; goes on with its next report */
  'publisher_silent',
  /** interrupted: an upload that nobody sends bytes for; goes on when its client does */
  'waiting_for_client',
  /** interrupted: the file stands in its place, the look at it failed; tried again at the next rescan or start */
  'not_registered',
] as const;
export type StateReasonCode = (typeof stateReasonCodes)[number];

export function isStateReasonCode(text: string): text is StateReasonCode {
  return stateReasonCodes.some((code) => code === text);
}

/** What is worth knowing about an operation that succeeded; an errno may follow after an underscore. */
export const operationWarnings = [
  'cancel_too_late',
  'copy_file_range_refused',
  'preallocation_needs_kernel_calls',
  'preallocation_unsupported',
  'published_without_exclusive_rename',
  'restarted_source_changed',
  'source_open_for_writing',
  /** a proxy in front of the server kept the bytes of an upload back until it had them all */
  'upload_buffered',
] as const;
export type OperationWarning = (typeof operationWarnings)[number];
