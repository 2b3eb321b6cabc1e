import type { GoneReason } from '@wcc/progress/protocol';
import type { Hub } from '../hub.ts';
import type { Connection } from './connection.ts';
import type { WatchIndex } from './watch-index.ts';

/** Connections flushed before the event loop runs other work. */
const flushesPerTurn = 256;

/** Passes the events of the hub to the connections concerned. */
export class Fanout<P> {
  readonly #hub: Hub;
  readonly #index: WatchIndex<Connection<P>>;
  readonly #all: ReadonlySet<Connection<P>>;
  readonly #stops: (() => void)[];
  readonly #waiting = new Set<Connection<P>>();
  #draining: NodeJS.Immediate | null = null;

  constructor(hub: Hub, index: WatchIndex<Connection<P>>, all: ReadonlySet<Connection<P>>) {
    this.#hub = hub;
    this.#index = index;
    this.#all = all;
    this.#stops = [
      hub.onChange((ids) => this.#change(ids)),
      hub.onRemove((id, why) => this.#gone(id, why)),
      hub.onRetire((ids) => {
        for (const connection of all) connection.watchlist.retire(ids);
      }),
      hub.onReauthorize((filter) => this.#reauthorize(filter)),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    if (this.#draining !== null) clearImmediate(this.#draining);
    this.#draining = null;
  }

  #change(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#markDirty(id);
    if (this.#draining === null) this.#drain();
  }

  #markDirty(id: string): void {
    const snapshot = this.#hub.get(id);
    if (snapshot === undefined) return;
    for (const connection of this.#index.watchers(id)) {
      connection.watchlist.update(snapshot);
      this.#waiting.add(connection);
    }
    for (const connection of this.#index.lists) {
      connection.watchlist.addIfListed(snapshot);
      if (connection.sendWindow.hasDirty()) this.#waiting.add(connection);
    }
  }

  #drain(): void {
    this.#draining = null;
    let left = flushesPerTurn;
    for (const connection of this.#waiting) {
      if (left === 0) break;
      left -= 1;
      this.#waiting.delete(connection);
      if (connection.isOpen) connection.sendWindow.flush();
    }
    if (this.#waiting.size > 0) this.#draining = setImmediate(() => this.#drain());
  }

  #gone(id: string, why: GoneReason): void {
    // A copy, because `gone` removes the connection from the index.
    for (const connection of Array.from(this.#index.watchers(id))) connection.watchlist.gone(id, why);
  }

  #reauthorize(filter?: (principal: unknown) => boolean): void {
    for (const connection of this.#all) {
      if (filter === undefined || filter(connection.principal)) connection.reauthorize();
    }
  }
}
