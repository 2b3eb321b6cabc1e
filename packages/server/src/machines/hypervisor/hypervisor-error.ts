import type { SettingDifference } from './setting-difference.ts';

interface HypervisorErrorEntry {
  readonly message: string;
  readonly hint: string;
}

export type HypervisorErrorCode =
  | 'packages_missing'
  | 'unavailable'
  | 'unknown_machine'
  | 'foreign_machine'
  | 'invalid_state'
  | 'invalid_spec'
  | 'name_taken'
  | 'unsupported'
  | 'changed_outside'
  | 'saved_state'
  | 'start_failed'
  | 'disk_stopped'
  | 'no_answer'
  | 'aborted'
  | 'failed';

/** The errors of the `Hypervisor` interface. `host/hypervisor-errors.ts` maps them to the API's errors. */
export const hypervisorErrors: Readonly<Record<HypervisorErrorCode, HypervisorErrorEntry>> = {
  packages_missing: {
    message: 'The programs that run machines are not installed.',
    hint: 'Install the listed packages.',
  },
  unavailable: {
    message: 'The hypervisor does not answer.',
    hint: 'Check that libvirtd or virtqemud can start for the user that runs wcc.',
  },
  unknown_machine: { message: 'The hypervisor has no such machine.', hint: 'List the machines again.' },
  foreign_machine: {
    message: 'This machine was not created by wcc.',
    hint: 'Change it with the program that created it.',
  },
  invalid_state: {
    message: 'This is not possible in the current state of the machine.',
    hint: 'Check its state.',
  },
  invalid_spec: {
    message: 'The specification of the machine is invalid.',
    hint: 'Correct the field in the detail.',
  },
  name_taken: { message: 'A machine with this name already exists.', hint: 'Choose another name.' },
  unsupported: {
    message: 'This hypervisor does not support this.',
    hint: 'Use the other driver, or choose another setting.',
  },
  changed_outside: {
    message: 'Another program changed settings of this machine in the hypervisor.',
    hint: 'Adopt the changes, or undo them there.',
  },
  saved_state: {
    message: 'The machine has a saved state.',
    hint: 'Start the machine to restore it, or discard the saved state.',
  },
  disk_stopped: {
    message: 'The guest stopped again, because its disk still fails.',
    hint: 'Free space for the disk or repair it, then start the machine again.',
  },
  start_failed: {
    message: 'The machine did not start.',
    hint: 'The detail is the message of the hypervisor.',
  },
  no_answer: {
    message: 'The machine does not answer the hypervisor.',
    hint: 'Power it off if this persists.',
  },
  aborted: { message: 'The call was aborted.', hint: 'Try again.' },
  failed: { message: 'The hypervisor failed.', hint: 'The detail is its message.' },
};

export interface HypervisorErrorOptions {
  /** The hypervisor's own message, or the invalid field. At most 2,000 characters are kept. */
  detail?: string;
  /** Debian packages to install. */
  packages?: readonly string[];
  /** For `changed_outside`. */
  differences?: readonly SettingDifference[];
  cause?: unknown;
}

/** @throws HypervisorError `aborted` when the signal has aborted */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new HypervisorError('aborted', { cause: signal.reason });
}

/** The only error that a driver rejects with. */
export class HypervisorError extends Error {
  override readonly name = 'HypervisorError';
  readonly code: HypervisorErrorCode;
  readonly hint: string;
  readonly detail: string | null;
  readonly packages: readonly string[];
  readonly differences: readonly SettingDifference[];

  constructor(code: HypervisorErrorCode, options: HypervisorErrorOptions = {}) {
    super(hypervisorErrors[code].message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = hypervisorErrors[code].hint;
    this.detail = options.detail?.slice(0, 2000) ?? null;
    this.packages = options.packages ?? [];
    this.differences = options.differences ?? [];
  }
}
