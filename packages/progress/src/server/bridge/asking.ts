import type { Peer } from './peer.ts';

/** Messages that are only late arrive within this time. */
const lateMs = 150;
const againMs = 1000;

/** Asks peers for the changes that did not arrive, until they do. */
export class Asking {
  readonly #ask: (peer: Peer) => void;
  readonly #timers = new Map<Peer, NodeJS.Timeout>();

  constructor(ask: (peer: Peer) => void) {
    this.#ask = ask;
  }

  /** Call it when something of a peer is missing. */
  later(peer: Peer): void {
    if (!this.#timers.has(peer)) this.#arm(peer, lateMs);
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #arm(peer: Peer, delayMs: number): void {
    const check = (): void => {
      this.#timers.delete(peer);
      // A lost peer is asked again when it returns.
      if (peer.isComplete || peer.state === 'lost') return;
      this.#ask(peer);
      this.#arm(peer, againMs);
    };
    this.#timers.set(peer, setTimeout(check, delayMs).unref());
  }
}
