/** Identifies an error of this package. `progressErrors` of `@wcc/progress/protocol` has a text for each. */
export type ProgressErrorCode =
  | 'invalid_transition'
  | 'invalid_record'
  | 'contradictory_record'
  | 'invalid_amount'
  | 'operation_exists'
  | 'done_decreased'
  | 'terminal_replaced'
  | 'snapshot_too_large'
  | 'too_many_tickets'
  | 'ws_missing'
  | 'ws_unusable'
  | 'user_required'
  | 'invalid_user'
  | 'invalid_option'
  | 'invalid_server'
  | 'foreign_host'
  | 'foreign_origin'
  | 'authentication_timeout'
  | 'hub_closed'
  | 'bridge_version'
  | 'bridge_message'
  | 'bridge_closed'
  | 'no_cluster_primary'
  | 'unknown_operation'
  | 'no_action_handler'
  | 'action_unanswered'
  | 'action_failed';

/** Every error of `@wcc/progress`: for each code what is wrong and what to do. */
export const progressErrors: Readonly<Record<ProgressErrorCode, { message: string; hint: string }>> = {
  invalid_transition: {
    message: 'This change of state is not allowed.',
    hint: 'Ask nextStates() before you change the state; terminal states are final.',
  },
  invalid_record: {
    message: 'The record holds a missing field, an unknown state, or a number that cannot be.',
    hint: 'Set id, action, owner and state. Amounts are finite, 0 or more, with durable ≤ done ≤ total; an unknown total is null.',
  },
  contradictory_record: {
    message: 'The fields of the record contradict its state.',
    hint: 'Report the state that belongs to the numbers and times, or leave the field out: the hub sets it.',
  },
  invalid_amount: {
    message: 'The amount is not a finite number of 0 or more.',
    hint: 'Pass a number, not a text; check what you divide or subtract. An unknown total is null.',
  },
  operation_exists: {
    message: 'The hub already has an operation with this id.',
    hint: 'Leave the option id out, or use another one. A retry is a new operation with an id of its own.',
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
    message: 'The WebSocket gateway needs the package "ws", which is not installed.',
    hint: 'Run npm install ws. In a bundle, pass its class WebSocketServer as the option of that name.',
  },
  ws_unusable: {
    message: 'The package "ws" is installed, but it does not work.',
    hint: 'Install ws 8.21 or newer, or pass its class as the option WebSocketServer.',
  },
  user_required: {
    message: 'The option user is missing: a function that says who sends a request.',
    hint: 'Pass user: (request) => the id of the signed-in user, or null.',
  },
  invalid_user: {
    message: 'The option user returned something that is neither an id nor null.',
    hint: 'Return a string that is not empty, the same as the owner of the operations, or { id, session }.',
  },
  invalid_option: {
    message: 'An option is not usable.',
    hint: 'Compare its name and its type with the documentation.',
  },
  invalid_server: {
    message: 'serveProgress needs a Node HTTP server as its first argument.',
    hint: 'Pass what app.listen() or createServer() returns, or the property server of Fastify.',
  },
  foreign_host: {
    message: 'A request was refused, because its Host could belong to another site.',
    hint: 'If it is your public name, pass it as the option origin, e.g. "https://app.example.org".',
  },
  foreign_origin: {
    message: 'A request was refused, because its Origin is not the origin of this server.',
    hint: 'Behind a proxy that changes Host, pass the option origin, e.g. "https://app.example.org".',
  },
  authentication_timeout: {
    message: 'authenticate() did not answer in time; the upgrade was refused with 503.',
    hint: 'Check what authenticate() waits for.',
  },
  hub_closed: {
    message: 'The hub is closed.',
    hint: 'Stop the publishers before you close the hub.',
  },
  bridge_version: {
    message: 'Another process sends bridge messages of another version, which this process ignores.',
    hint: 'Run the same version of @wcc/progress in all processes, or give each version a channel of its own.',
  },
  bridge_message: {
    message: 'The transport of the bridge delivered a text that is not a bridge message.',
    hint: 'Give the bridge a channel that nothing else publishes on.',
  },
  bridge_closed: {
    message: 'The bridge is closed.',
    hint: 'Close the bridge after the last action has its answer, and before the hub.',
  },
  no_cluster_primary: {
    message: 'The primary process of the cluster does not pass on the messages of the bridge.',
    hint: 'Call clusterTransport() in the primary before it forks. Under PM2, use a transport such as Redis.',
  },
  unknown_operation: {
    message: 'No process of the bridge has this operation.',
    hint: 'Check that it has not ended and left memory; a new one arrives within a second.',
  },
  no_action_handler: {
    message: 'The process that owns the operation has no onAction.',
    hint: 'Give createBridge the option onAction in every process that starts operations.',
  },
  action_unanswered: {
    message: 'The process that owns the operation did not answer.',
    hint: 'Try again when the operation is not interrupted; the action may have been carried out.',
  },
  action_failed: {
    message: 'The process that owns the operation refused the action.',
    hint: 'Read the reason in parentheses; it is the error of onAction there.',
  },
};

/** The error class of this package. Compare `code`; the texts may change. */
export class ProgressError extends Error {
  override readonly name: string = 'ProgressError';
  /** Identifies the error. */
  readonly code: ProgressErrorCode;
  /** What to do, a whole sentence. */
  readonly hint: string;

  /**
   * @param options `detail` is appended to the message in parentheses; it must not contain a secret. `hint` replaces
   *   the hint of the code, for one cause of several
   */
  constructor(code: ProgressErrorCode, options: { detail?: string; hint?: string; cause?: unknown } = {}) {
    const { message, hint } = progressErrors[code];
    const text = options.detail === undefined ? message : `${message} (${options.detail})`;
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? hint;
  }
}
