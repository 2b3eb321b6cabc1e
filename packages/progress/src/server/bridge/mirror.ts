import { isTerminal } from '@wcc/progress';
import type { GoneReason } from '@wcc/progress/protocol';
import type { Hub } from '../hub.ts';
import type { ChangesMessage } from './messages.ts';
import type { Peer } from './peer.ts';

/** The operations of other processes in this hub, and which process each is from. */
export class Mirror {
  readonly #hub: Hub;
  readonly #owners = new Map<string, string>();
  #isRemoving = false;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** True while this mirror removes an operation that its owner removed. */
  get isRemoving(): boolean {
    return this.#isRemoving;
  }

  /** The process that an operation is from; `undefined` if the operation is not from another one. */
  ownerOf(id: string): string | undefined {
    return this.#owners.get(id);
  }

  forget(id: string): void {
    this.#owners.delete(id);
  }

  /** Takes the changes of a peer. @throws {ProgressError} `hub_closed` */
  take(peer: Peer, message: ChangesMessage): void {
    const snapshots = message.d.filter(({ id }) => !peer.isOutdated(id, message));
    this.#hub.relay(peer.id, snapshots);
    for (const { id } of snapshots) {
      // The hub may have refused it, because another process works on it.
      if (this.#hub.relayedFrom(id) === peer.id) this.#owners.set(id, peer.id);
    }
    const forgotten = peer.arrived(message, () => this.#unendedOf(peer));
    for (const [id, why] of message.gone) this.#remove(peer, id, why);
    for (const id of forgotten) this.#remove(peer, id, 'deleted');
  }

  *#unendedOf(peer: Peer): Iterable<string> {
    for (const [id, owner] of this.#owners) {
      const snapshot = owner === peer.id ? this.#hub.get(id) : undefined;
      if (snapshot !== undefined && !isTerminal(snapshot.state)) yield id;
    }
  }

  #remove(peer: Peer, id: string, why: GoneReason): void {
    if (this.#owners.get(id) !== peer.id) return;
    this.#isRemoving = true;
    this.#hub.remove(id, why);
    this.#isRemoving = false;
  }
}
