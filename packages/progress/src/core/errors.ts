export type ProgressErrorCode =
  | 'invalid_transition'
  | 'invalid_record'
  | 'done_decreased'
  | 'terminal_replaced'
  | 'snapshot_too_large'
  | 'too_many_tickets'
  | 'ws_missing'
  | 'authentication_timeout'
  | 'hub_closed';

/** Every error of `@wcc/progress`: for each code what is wrong and what to do. */
export const PROGRESS_ERRORS: Readonly<Record<ProgressErrorCode, { message: string; hint: string }>> = {
  invalid_transition: {
    message: 'This change of state is not allowed.',
    hint: 'Ask nextStates() before you change the state; terminal states are final.',
  },
  invalid_record: {
    message: 'The record holds a number that is not finite, negative, or greater than its total.',
    hint: 'Report units that are really done, and null for a total that is unknown.',
  },
  done_decreased: {
    message: 'The units done decreased within one phase; watchers keep the greater value.',
    hint: 'Only a new epoch may go back, and only to the durable point.',
  },
  terminal_replaced: {
    message: 'An ended operation was put again in another state; watchers keep its first end.',
    hint: 'A retry is a new operation with an id of its own.',
  },
  snapshot_too_large: {
    message: 'The snapshot does not fit in 2 KiB, even with all its texts cut.',
    hint: 'Shorten the ids, codes and names of phases.',
  },
  too_many_tickets: {
    message: 'This session already holds the maximum number of unused tickets.',
    hint: 'Use one, or wait until one expires.',
  },
  ws_missing: {
    message: 'attachWebSocket needs the package "ws", which is not installed.',
    hint: 'Add "ws" (8.21 or newer) to your dependencies.',
  },
  authentication_timeout: {
    message: 'authenticate() did not answer in time; the upgrade was refused with 503.',
    hint: 'Check what authenticate() waits for.',
  },
  hub_closed: {
    message: 'The hub is closed.',
    hint: 'Stop the publishers before you close the hub.',
  },
};

/** Options of {@link ProgressError}. */
export interface ProgressErrorOptions {
  /** Appended to the registry's message in parentheses. Must not contain a secret. */
  detail?: string;
  cause?: unknown;
}

/** The error class of this package: `code` identifies the error, `hint` says what to do. */
export class ProgressError extends Error {
  override readonly name: string = 'ProgressError';
  readonly code: ProgressErrorCode;
  readonly hint: string;

  constructor(code: ProgressErrorCode, options: ProgressErrorOptions = {}) {
    const { message, hint } = PROGRESS_ERRORS[code];
    const text = options.detail === undefined ? message : `${message} (${options.detail})`;
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = hint;
  }
}
