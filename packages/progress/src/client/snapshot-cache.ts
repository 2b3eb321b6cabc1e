import { isNewer } from '../core/version.ts';
import type { Rights } from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';

export type WatchListener = (snapshot: Snapshot, may: Rights | null) => void;

/** A tab may stay open for months: the oldest ended ones beyond these are forgotten. */
const maxPending = 2000;

/** The last word on each operation that somebody watches, and what this user may do with it. */
export class Held {
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #rights = new Map<string, Rights>();

  get(id: string): Snapshot | undefined {
    return this.#snapshots.get(id);
  }

  rights(id: string): Rights | null {
    return this.#rights.get(id) ?? null;
  }

  ids(): string[] {
    return [...this.#snapshots.keys()];
  }

  /** @returns whether anything changed */
  take(next: Snapshot): boolean {
    if (!isNewer(this.#snapshots.get(next.id), next)) return false;
    this.#snapshots.set(next.id, next);
    if (this.#snapshots.size > maxPending) this.#forgetOldestEnded();
    return true;
  }

  /** @returns whether anything changed: every new connection tells the rights again, mostly the same ones */
  allow(id: string, rights: Rights): boolean {
    if (isSame(this.#rights.get(id), rights)) return false;
    this.#rights.set(id, rights);
    return true;
  }

  forget(id: string): void {
    this.#snapshots.delete(id);
    this.#rights.delete(id);
  }

  #forgetOldestEnded(): void {
    for (const [id, snapshot] of this.#snapshots) if (isTerminal(snapshot.state)) return this.forget(id);
  }
}

function isSame(held: Rights | undefined, next: Rights): boolean {
  if (held === undefined) return false;
  const verbs = Object.keys({ ...held, ...next });
  return verbs.every((verb) => (held[verb] ?? false) === (next[verb] ?? false));
}
