export const imageFormats = ['raw', 'qcow2', 'iso'] as const;
export const copyMethods = ['auto', 'clone', 'copy'] as const;

/** Codes in an operation that user interfaces translate. They show an unknown code unchanged. */
export const operationActions = [
  'copy_vm_image',
  'make_sample_image',
  'upload_image',
  'create_vm',
  'quick_create_vm',
  'copy_vm',
  'delete_vm',
  'start_vm',
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
  /** for a qcow2 image: check its tables; for a machine: check that the request is possible */
  'check',
  /** for a machine: each disk, then first-boot data, definition and start */
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
  /** for an automatic start: earlier machines of the order, and the pause before this one */
  'wait',
  'start',
  'stop',
  'undefine',
  'delete_disks',
  /** requesting a file from another server */
  'connect',
  'convert',
  /** reading an image to compute its digest */
  'read',
  'delete',
  /** first phase of a published operation (default) */
  'work',
] as const;
export type OperationPhase = (typeof operationPhases)[number];

/** Why an operation is queued, paused or interrupted. */
export const stateReasonCodes = [
  /** queued: `limit` operations of this pool are running */
  'waiting_for_place',
  /** queued or interrupted: the directory of the pool is missing */
  'pool_unavailable',
  /** paused by a person */
  'requested',
  /** paused, and waiting for a slot to resume */
  'resuming',
  /** paused: `needs` and `free` in bytes; resumes automatically */
  'no_space',
  /** paused: the file system has no free inodes; resumes automatically */
  'no_inodes',
  /** paused: the quota of the file system is used up; resumes automatically */
  'quota',
  /** paused: the disk reported an error; resumes when its pool is available again, or by hand */
  'io_error',
  /** paused: the file system is read-only; resumes when its pool is available again, or by hand */
  'read_only',
  /** paused: a directory in the data directory is missing; resumes by hand */
  'data_dir_unavailable',
  /** paused: the server has too many open files or too little memory; resumes automatically */
  'resources',
  /** paused: the file system was busy; resumes automatically */
  'busy',
  /** interrupted by a graceful stop */
  'server_stopped',
  /** interrupted by a crash */
  'server_restarted',
  /** interrupted: no report within the lease; resumes with the next report */
  'publisher_silent',
  /** interrupted: no client sends bytes for this upload; resumes with the client */
  'waiting_for_client',
  /** interrupted: the file is published, but its inspection failed; tried again at the next rescan or start */
  'not_registered',
] as const;
export type StateReasonCode = (typeof stateReasonCodes)[number];

export function isStateReasonCode(text: string): text is StateReasonCode {
  return stateReasonCodes.some((code) => code === text);
}

/** Warnings of successful operations; an errno may follow after an underscore. */
export const operationWarnings = [
  'cancel_too_late',
  'copy_file_range_refused',
  /** a step after the rename failed; the published file is complete */
  'failed_after_publishing',
  /** the original of a copied machine may never have started, so nothing on its disks has the users of its first boot */
  'first_boot_missing',
  'preallocation_needs_kernel_calls',
  'preallocation_unsupported',
  'published_without_exclusive_rename',
  /** its client began an unfinished upload of the same name again */
  'replaced_unfinished',
  'restarted_source_changed',
  'source_open_for_writing',
  /** a copied machine has no first-boot data that could give it a new identity */
  'same_identity',
  /** qemu-img converts the present state of a disk only */
  'snapshots_left_out',
  /** the server of an import named no end of the file */
  'unproven_end',
  /** a proxy in front of the server buffered the whole upload before forwarding it */
  'upload_buffered',
  'content_is_text',
  'content_is_tiny',
  'content_is_no_disc',
] as const;
export type OperationWarning = (typeof operationWarnings)[number];
