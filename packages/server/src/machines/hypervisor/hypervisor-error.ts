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
  | 'start_failed'
  | 'no_answer'
  | 'aborted'
  | 'failed';

/** The errors of the hypervisor seam; the domain tells them in the words of the API. */
export const hypervisorErrors: Readonly<Record<HypervisorErrorCode, HypervisorErrorEntry>> = {
  packages_missing: {
    message: 'The programs that run machines are not installed.',
    hint: 'Install the named packages.',
  },
  unavailable: {
    message: 'The hypervisor does not answer.',
    hint: 'See whether libvirtd or virtqemud can start for the user that runs wcc.',
  },
  unknown_machine: { message: 'The hypervisor has no such machine.', hint: 'List the machines again.' },
  foreign_machine: {
    message: 'This machine was not made by wcc.',
    hint: 'Change it with the program that made it.',
  },
  invalid_state: {
    message: 'This is not possible in the present state of the machine.',
    hint: 'Look at its state.',
  },
  invalid_spec: { message: 'The machine cannot be made like this.', hint: 'Correct the named field.' },
  name_taken: { message: 'A machine of this name exists already.', hint: 'Choose another name.' },
  unsupported: {
    message: 'This hypervisor cannot do this.',
    hint: 'Use the other driver, or do without.',
  },
  start_failed: {
    message: 'The machine did not start.',
    hint: 'The detail is what the hypervisor said.',
  },
  no_answer: {
    message: 'The machine does not answer the hypervisor.',
    hint: 'Power it off if it does not come back.',
  },
  aborted: { message: 'The order was given up.', hint: 'Give it again.' },
  failed: { message: 'The hypervisor failed.', hint: 'The detail is what it said.' },
};

export interface HypervisorErrorOptions {
  /** The hypervisor's own words, or the field at fault; at most 2,000 characters are kept. */
  detail?: string;
  /** Debian packages to install. */
  packages?: readonly string[];
  cause?: unknown;
}

/** @throws HypervisorError `aborted` when the order is not wanted any more */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new HypervisorError('aborted', { cause: signal.reason });
}

/** The only thing that a driver rejects with. */
export class HypervisorError extends Error {
  override readonly name = 'HypervisorError';
  readonly code: HypervisorErrorCode;
  readonly hint: string;
  readonly detail: string | null;
  readonly packages: readonly string[];

  constructor(code: HypervisorErrorCode, options: HypervisorErrorOptions = {}) {
    super(hypervisorErrors[code].message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = hypervisorErrors[code].hint;
    this.detail = options.detail?.slice(0, 2000) ?? null;
    this.packages = options.packages ?? [];
  }
}
