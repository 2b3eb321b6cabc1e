/** Message and hint of one error code. */
export interface CopyErrorEntry {
  readonly message: string;
  readonly hint: string;
}

/** The codes of `CopyError`. `copyErrors` has the message and the hint of each. */
export type CopyErrorCode =
  | 'cancelled'
  | 'suspended'
  | 'no_space'
  | 'io_error'
  | 'source_changed'
  | 'source_in_use'
  | 'not_found'
  | 'exists'
  | 'permission'
  | 'read_only'
  | 'not_regular'
  | 'not_directory'
  | 'same_file'
  | 'nested'
  | 'destination_changed'
  | 'too_large'
  | 'quota'
  | 'cross_device'
  | 'clone_unsupported'
  | 'verify_mismatch'
  | 'name_too_long'
  | 'invalid_option'
  | 'partial_in_use'
  | 'locked'
  | 'busy'
  | 'resources'
  | 'unsupported'
  | 'worker_failed'
  | 'worker_missing'
  | 'size_unknown';

/** The registry of this package's errors: code → message and hint. */
export const copyErrors: Readonly<Record<CopyErrorCode, CopyErrorEntry>> = {
  cancelled: {
    message: 'the copy was cancelled',
    hint: 'Its partial file and checkpoint were removed. Start the copy again if you need it.',
  },
  suspended: {
    message: 'the copy was suspended',
    hint: 'Start the copy again with the same id to resume it from its last checkpoint.',
  },
  no_space: {
    message: 'not enough free space',
    hint: 'Free some space at the destination and resume the copy.',
  },
  io_error: {
    message: 'the storage reported an error',
    hint: 'Check the kernel log for the failing device.',
  },
  source_changed: {
    message: 'the source changed while it was copied',
    hint: 'Stop the program that writes to the source, then copy again.',
  },
  source_in_use: {
    message: 'the source is in use by another program',
    hint: 'Close the program that has the file open for writing.',
  },
  not_found: { message: 'no such file or directory', hint: 'Check the path.' },
  exists: { message: 'the destination already exists', hint: 'Choose another name, or allow overwriting.' },
  permission: { message: 'permission denied', hint: 'Check owner and mode of the file and its directory.' },
  read_only: {
    message: 'the file system is read-only',
    hint: 'Remount it writable, or choose another place.',
  },
  not_regular: {
    message: 'not a regular file',
    hint: 'Choose a regular file: symlinks, directories, devices, sockets and FIFOs are not copied.',
  },
  not_directory: {
    message: 'not a directory',
    hint: 'Choose a directory. Use copyFile for a file; symlinks are not followed.',
  },
  nested: {
    message: 'source and destination contain one another',
    hint: 'Choose a destination outside the source.',
  },
  destination_changed: {
    message: 'the destination changed while the copy ran',
    hint: 'Stop the program that changes the destination, then copy again.',
  },
  same_file: { message: 'source and destination are the same file', hint: 'Choose another destination.' },
  too_large: {
    message: 'the file is too large for the file system or for a limit of the process',
    hint: 'Choose another file system, or raise the file size limit (ulimit -f).',
  },
  quota: {
    message: 'the disk quota is exceeded',
    hint: 'Raise the quota or remove files, then resume the copy.',
  },
  cross_device: {
    message: 'source and destination are on different file systems',
    hint: 'Use the method auto or copy.',
  },
  clone_unsupported: {
    message: 'the file system cannot share blocks between source and destination',
    hint: 'Use the method auto or copy. XFS, btrfs, bcachefs and ZFS can share blocks within one file system.',
  },
  verify_mismatch: {
    message: 'the copy differs from its source',
    hint: 'The copy was not published. Check memory and storage of this host, then copy again.',
  },
  name_too_long: { message: 'the name is too long', hint: 'Choose a shorter name.' },
  invalid_option: {
    message: 'an argument or option is not valid',
    hint: 'See the documentation of the function for the values allowed.',
  },
  partial_in_use: {
    message: 'another copy is using the same partial file',
    hint: 'Wait for the other copy to end, or use another id.',
  },
  locked: { message: 'another process holds the lock', hint: 'Stop the other process first.' },
  busy: { message: 'the file or device is busy', hint: 'Try again later.' },
  resources: {
    message: 'the system ran out of a resource',
    hint: 'Raise the limit on open files or memory.',
  },
  unsupported: {
    message: 'not supported on this system',
    hint: 'Install koffi and run on Linux: kernel calls need both.',
  },
  worker_failed: {
    message: 'the worker thread ended unexpectedly',
    hint: 'See the cause. Start the copy again: with the same id, it resumes from its last checkpoint.',
  },
  worker_missing: {
    message: 'the code of the worker thread is missing',
    hint: 'A bundler has left it out. Mark @wcc/copy as external, or bundle @wcc/copy/worker as a file of its own and call preload({ worker: url }).',
  },
  size_unknown: {
    message: 'the file does not have the size that its file system reports',
    hint: 'Files of /proc, /sys and similar file systems are made while they are read. Read them with fs.readFile().',
  },
};

export interface CopyErrorDetails {
  path?: string | null;
  /** Byte offset in the file at which the error occurred. */
  offset?: number | null;
  /** Details, appended to the code's message. */
  detail?: string;
  /** What to do, where the cause is more exact than the code. @default the code's hint */
  hint?: string;
  cause?: unknown;
  /** The signal that stopped the work. */
  signal?: AbortSignal;
  /** The partial file and its checkpoint were kept: a copy with the same id can resume from them. */
  resumable?: boolean;
}

/**
 * Every failure of this package. `cause` is the error of the system call, if a system call failed.
 *
 * When a `signal` stopped the work, `name` is `AbortError`, `code` is `cancelled` and `cause` is the signal's reason.
 */
export class CopyError extends Error {
  override readonly name: 'CopyError' | 'AbortError';
  readonly code: CopyErrorCode;
  readonly path: string | null;
  readonly offset: number | null;
  readonly hint: string;
  readonly detail: string | null;
  resumable: boolean;

  constructor(code: CopyErrorCode, details: CopyErrorDetails = {}) {
    const { message, hint } = copyErrors[code];
    const path = details.path ?? null;
    const place = path === null ? '' : `: ${path}`;
    const text = details.detail === undefined ? message : `${message} (${details.detail})`;
    const cause: unknown = details.signal === undefined ? details.cause : details.signal.reason;
    super(`${text}${place}`, cause === undefined ? undefined : { cause });
    this.name = details.signal === undefined ? 'CopyError' : 'AbortError';
    this.code = code;
    this.path = path;
    this.offset = details.offset ?? null;
    this.hint = details.hint ?? hint;
    this.detail = details.detail ?? null;
    this.resumable = details.resumable ?? false;
  }
}

/** Gives an error from a worker the stack of the async function that calls this, down to the caller's own line. */
export function withCallersStack(error: unknown): unknown {
  if (error instanceof CopyError) Error.captureStackTrace(error, withCallersStack);
  return error;
}
