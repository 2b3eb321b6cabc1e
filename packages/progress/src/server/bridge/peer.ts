import type { ChangesMessage } from './messages.ts';

/** What another process is to this one. `left`: it stopped in order. */
export type PeerState = 'live' | 'lost' | 'left';

/** Ranges that arrived before an earlier one; beyond it they are asked for again. */
const maxRanges = 64;
/** Removals that are remembered, so that a late message does not bring the operation back. */
const maxRemoved = 1000;

/** Another process: which of its changes have arrived, and when it was heard last. */
export class Peer {
  readonly id: string;
  name = '';
  state: PeerState = 'live';
  heardAtMs: number;
  /** Number of its last change before it stops; `null` until it says so. */
  stopsAt: number | null = null;
  /** Every change up to this number has arrived. */
  #upTo = 0;
  #latest = 0;
  #ranges: { after: number; upTo: number }[] = [];
  readonly #removedAt = new Map<string, number>();
  /** During a complete listing: the operations that it has not named yet. */
  #unnamed: Set<string> | null = null;
  #listedAt = 0;

  constructor(id: string, nowMs: number) {
    this.id = id;
    this.heardAtMs = nowMs;
  }

  get upTo(): number {
    return this.#upTo;
  }

  /** True if every change that the peer has mentioned has arrived. */
  get isComplete(): boolean {
    return this.#upTo >= this.#latest;
  }

  get isStopped(): boolean {
    return this.stopsAt !== null && this.#upTo >= this.stopsAt;
  }

  /** The peer has made changes up to this number. */
  mentioned(latest: number): void {
    this.#latest = Math.max(this.#latest, latest);
  }

  /** Forgets what has arrived, so that everything is asked for again. */
  restart(): void {
    this.#upTo = 0;
    this.#ranges = [];
  }

  /** Whether a snapshot was sent before the removal of its operation. */
  isOutdated(id: string, { upTo }: Pick<ChangesMessage, 'upTo'>): boolean {
    return upTo < (this.#removedAt.get(id) ?? 0);
  }

  /**
   * Notes the arrival of changes.
   *
   * @param held the unended operations that this process has from the peer
   * @returns those that the peer has no longer
   */
  arrived(message: ChangesMessage, held: () => Iterable<string>): string[] {
    this.#beginListing(message, held);
    for (const { id } of message.d) this.#unnamed?.delete(id);
    for (const [id] of message.gone) this.#remove(id, message.upTo);
    this.mentioned(message.at);
    this.#addRange(message);
    return this.#endListing();
  }

  #beginListing({ after, at, horizon }: ChangesMessage, held: () => Iterable<string>): void {
    if (after > 0 || this.#upTo >= horizon) return;
    this.restart();
    this.#unnamed = new Set(held());
    this.#listedAt = at;
  }

  #endListing(): string[] {
    if (this.#unnamed === null || this.#upTo < this.#listedAt) return [];
    const forgotten = [...this.#unnamed];
    this.#unnamed = null;
    return forgotten;
  }

  #remove(id: string, at: number): void {
    this.#unnamed?.delete(id);
    this.#removedAt.delete(id);
    this.#removedAt.set(id, at);
    const [oldest] = this.#removedAt.keys();
    if (this.#removedAt.size > maxRemoved && oldest !== undefined) this.#removedAt.delete(oldest);
  }

  #addRange({ after, upTo }: ChangesMessage): void {
    this.#ranges.push({ after, upTo });
    this.#ranges.sort((a, b) => a.after - b.after);
    while (this.#ranges[0] !== undefined && this.#ranges[0].after <= this.#upTo)
      this.#upTo = Math.max(this.#upTo, this.#ranges.shift()?.upTo ?? 0);
    if (this.#ranges.length > maxRanges) this.#ranges.pop();
  }
}
