import type { Snapshot } from '@wcc/progress';
import type { OnError } from '../on-error.ts';
import type { TicketStore } from '../tickets/store.ts';
import type { PeerState } from './peer.ts';

/** Options of `createBridge`. */
export interface BridgeOptions {
  /** Names this process for people, in `processes`. Two processes may have the same name. @default its process id */
  name?: string;
  /**
   * Carries out an action on an operation of this process, for {@link Bridge.act} of any process.
   * @default `cancel` aborts an operation of `hub.start` or `hub.run`; every other action is refused
   * @param by the third argument of `act`; check it as far as you trust the other processes
   * @returns the answer for the caller of `act`, as JSON
   */
  onAction?: (snapshot: Snapshot, verb: string, by: unknown) => unknown;
  /** How often this process says that it is there. @default 2000 */
  heartbeatMs?: number;
  /**
   * A process that was not heard for this time is lost, and its operations are `interrupted` with the reason
   * `process_lost`. After half of it this process asks once more. When the transport itself is down, the reason is
   * `process_unreachable`.
   * @default 10000
   */
  lostAfterMs?: number;
  /** Monotonic clock in milliseconds; the clocks of processes are never compared. @default performance.now */
  now?: () => number;
  /** @default emits a process warning */
  onError?: OnError;
}

/** Connects the hub of this process with those of other processes. */
export interface Bridge {
  /** Random id of this process on the transport. */
  readonly id: string;
  /** The other processes: `live`, `lost` (not heard, or its transport is down) or `left` (stopped in order). */
  readonly processes: readonly { id: string; name: string; state: PeerState }[];
  /**
   * Tickets that every process accepts, for the option `store` of `createTickets`. Each is in the memory of the process
   * that issued it; the others ask that process.
   */
  readonly tickets: TicketStore;
  /**
   * Acts on an operation in the process that owns it, which may be this one. The request is repeated until the
   * answer arrives, and carried out once.
   *
   * @param by who acts, for `onAction` of the owner; must be JSON
   * @returns what `onAction` returned
   * @throws {ProgressError} `unknown_operation`, `no_action_handler`, `action_failed` with the owner's reason,
   * `action_unanswered` after 10 s
   */
  act(id: string, verb: string, by?: unknown): Promise<unknown>;
  /**
   * Sends the last changes and waits until the other processes have them, at most 2 s. What runs here becomes
   * `interrupted` there. Close the bridge before the hub.
   */
  close(): Promise<void>;
}
