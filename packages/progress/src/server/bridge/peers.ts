import type { Hearing } from './hearing.ts';
import { Peer } from './peer.ts';

export type LossCode = 'process_lost' | 'process_unreachable';

export interface PeersOptions {
  lostAfterMs: number;
  now: () => number;
  /** The operations of the peer must be shown with this reason. */
  lost: (peer: Peer, code: LossCode) => void;
  /** The peer was lost and is heard again. */
  returned: (peer: Peer) => void;
  /** The peer was not heard for half of the time after which it is lost. */
  silent: (peer: Peer) => void;
}

/** Lost processes are remembered for an hour, for `processes`. */
const rememberMs = 3_600_000;

/** The other processes, judged by when this process heard them last. Compares no clocks. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #byId = new Map<string, Peer>();
  readonly #lossCodes = new Map<Peer, LossCode>();
  #hearingSinceMs: number;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#hearingSinceMs = options.now();
  }

  [Symbol.iterator](): Iterator<Peer> {
    return this.#byId.values();
  }

  get(id: string): Peer | undefined {
    return this.#byId.get(id);
  }

  heard(id: string, name: string): Peer {
    const nowMs = this.#options.now();
    let peer = this.#byId.get(id);
    if (peer === undefined) this.#byId.set(id, (peer = new Peer(id, nowMs)));
    peer.heardAtMs = nowMs;
    peer.name = name;
    if (peer.state !== 'lost') return peer;
    peer.state = 'live';
    this.#lossCodes.delete(peer);
    this.#options.returned(peer);
    return peer;
  }

  left(peer: Peer): void {
    peer.state = 'left';
    this.#options.lost(peer, 'process_lost');
  }

  /** Counts every silence from now on, because this process itself stood still. */
  pardon(): void {
    const nowMs = this.#options.now();
    for (const peer of this.#byId.values()) peer.heardAtMs = nowMs;
  }

  /** Finds the lost ones. While this process cannot hear, silence says nothing about the others. */
  judge(hearing: Hearing): void {
    const nowMs = this.#options.now();
    for (const peer of this.#byId.values()) {
      if (peer.state !== 'left' && hearing !== 'uncertain') this.#judgeOne(peer, hearing);
      if (peer.state !== 'live' && nowMs - peer.heardAtMs > rememberMs) this.#forget(peer);
    }
    if (hearing === 'down') this.#hearingSinceMs = nowMs;
  }

  #judgeOne(peer: Peer, hearing: 'up' | 'down'): void {
    const { lostAfterMs, now, silent } = this.#options;
    // After the transport was down, each peer has the full time again.
    const sinceMs = hearing === 'up' ? Math.max(peer.heardAtMs, this.#hearingSinceMs) : peer.heardAtMs;
    const silentMs = now() - sinceMs;
    if (silentMs >= lostAfterMs) this.#lose(peer, hearing === 'up' ? 'process_lost' : 'process_unreachable');
    else if (peer.state === 'live' && silentMs >= lostAfterMs / 2) silent(peer);
  }

  #lose(peer: Peer, code: LossCode): void {
    if (this.#lossCodes.get(peer) === code) return;
    this.#lossCodes.set(peer, code);
    peer.state = 'lost';
    this.#options.lost(peer, code);
  }

  #forget(peer: Peer): void {
    this.#byId.delete(peer.id);
    this.#lossCodes.delete(peer);
  }
}
