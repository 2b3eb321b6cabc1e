import { ProgressError } from './errors.ts';
import type { OperationState, Snapshot } from './snapshot.ts';

/**
 * The states of an operation, and which may follow which.
 *
 * | from        | to                                                | when                                      |
 * |-------------|---------------------------------------------------|-------------------------------------------|
 * | queued      | running, cancelling, failed                       | its turn has come; cancel; a requirement is gone |
 * | running     | paused, cancelling, interrupted, succeeded, failed, cancelled | pause or shortage; cancel; the process ends; the end |
 * | paused      | running, cancelling, failed                       | resume; cancel; a requirement is gone     |
 * | interrupted | running, cancelling, failed                       | recovery after a restart; cancel; no recovery |
 * | cancelling  | cancelled, succeeded, failed                      | cleaned up; the cancel was too late; clean-up failed |
 * | succeeded, failed, cancelled | –                                | final, reached exactly once               |
 */
const next: Readonly<Record<OperationState, readonly OperationState[]>> = {
  queued: ['running', 'cancelling', 'failed'],
  running: ['paused', 'cancelling', 'interrupted', 'succeeded', 'failed', 'cancelled'],
  paused: ['running', 'cancelling', 'failed'],
  interrupted: ['running', 'cancelling', 'failed'],
  cancelling: ['cancelled', 'succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

/** All states, in the order of the table above. */
export const operationStates: readonly OperationState[] = /* @__PURE__ */ Object.keys(
  next,
) as OperationState[];

/** What a person can ask of an operation. */
export type OperationVerb = 'cancel' | 'pause' | 'resume' | 'retry';

/** The states in which a verb applies. Cancel is idempotent, so it applies while cancelling too. */
const verbStates: Readonly<Record<OperationVerb, readonly OperationState[]>> = {
  cancel: ['queued', 'running', 'paused', 'interrupted', 'cancelling'],
  pause: ['running'],
  resume: ['paused', 'interrupted'],
  retry: ['failed', 'cancelled'],
};

/** What the work behind an operation supports. */
export interface OperationCapabilities {
  /** The work can stop at a durable point and continue from it. */
  canPause: boolean;
  /** A stopped work can start again. @default the value of `canPause` */
  canResume?: boolean;
  /** The server can start the work again; false when only a client has the data. */
  canRetry: boolean;
}

const everyCapability: OperationCapabilities = { canPause: true, canRetry: true };

/** True for `succeeded`, `failed` and `cancelled`: no state follows. */
export function isTerminal(state: OperationState): boolean {
  // Without the table, so that a page that asks only this does not carry it.
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** The states that may follow `state`; empty for a terminal one. */
export function nextStates(state: OperationState): readonly OperationState[] {
  return next[state];
}

/** @throws {ProgressError} `invalid_transition` if `to` may not follow `from`; a state may not follow itself */
export function assertTransition(from: OperationState, to: OperationState): void {
  if (!next[from].includes(to)) throw new ProgressError('invalid_transition', { detail: `${from} → ${to}` });
}

/**
 * Whether the state of an operation allows a verb. Does not check rights: `may`, which the server sends beside
 * the snapshot, says what a principal may do.
 *
 * @param capabilities what the work supports. Pass them where `may` is computed; a receiver of `may` needs none.
 * @default every capability
 */
export function mayInState(
  { state }: Pick<Snapshot, 'state'>,
  verb: OperationVerb,
  capabilities: OperationCapabilities = everyCapability,
): boolean {
  const { canPause, canResume = canPause } = capabilities;
  if ((verb === 'pause' && !canPause) || (verb === 'resume' && !canResume)) return false;
  if (verb === 'retry' && !capabilities.canRetry) return false;
  // Interrupted work without its data waits for the client that has the data.
  if (verb === 'resume' && state === 'interrupted' && !capabilities.canRetry) return false;
  return verbStates[verb].includes(state);
}
