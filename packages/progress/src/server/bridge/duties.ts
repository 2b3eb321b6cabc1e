import { ProgressError } from '@wcc/progress';
import type { GoneReason } from '@wcc/progress/protocol';
import type { Hub } from '../hub.ts';
import type { TicketStore } from '../tickets/store.ts';
import type { BridgeOptions } from './contract.ts';
import type { RequestMessage } from './messages.ts';

interface DutiesOptions {
  hub: Hub;
  onAction: BridgeOptions['onAction'];
  /** The tickets that this process has issued. */
  tickets: TicketStore;
}

/** What this process does for others: act on its operations, remove them, and look for its tickets. */
export class Duties {
  readonly #options: DutiesOptions;

  constructor(options: DutiesOptions) {
    this.#options = options;
  }

  /** @throws {ProgressError} `unknown_operation`, `no_action_handler`; what `onAction` throws */
  act(id: string, verb: string, by: unknown): unknown {
    const { hub, onAction } = this.#options;
    const snapshot = hub.relayedFrom(id) === undefined ? hub.get(id) : undefined;
    if (snapshot === undefined) throw new ProgressError('unknown_operation', { detail: id });
    if (onAction !== undefined) return onAction(snapshot, verb, by);
    if (verb === 'cancel' && hub.abort(id)) return null;
    throw new ProgressError('no_action_handler', { detail: id });
  }

  /** @returns the answer, or a promise of it */
  carryOut({ kind, op, verb, by }: RequestMessage): unknown {
    if (kind === 'act') return this.act(op, verb, by);
    if (kind === 'remove') return this.#remove(op, verb as GoneReason);
    const { tickets } = this.#options;
    return kind === 'take_ticket' ? tickets.take(op) : tickets.revokeSession?.(op);
  }

  #remove(id: string, why: GoneReason): null {
    const { hub } = this.#options;
    if (hub.relayedFrom(id) === undefined && hub.get(id) !== undefined) hub.remove(id, why);
    return null;
  }
}
