import { isNewer } from '../core/version.ts';
import type { Rights } from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';

/** Receives a snapshot, and the rights of this user if the server sends them. */
export type WatchListener = (snapshot: Snapshot, may: Rights | null) => void;

/** Maximum snapshots in memory; beyond it the oldest ended one is removed. A tab may stay open for months. */
const maxSnapshots = 2000;

/** The newest snapshot of each watched operation, and what this user may do with it. */
export class SnapshotCache {
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

  /** Stores a snapshot if it is newer. @returns whether it was stored */
  put(next: Snapshot): boolean {
    if (!isNewer(this.#snapshots.get(next.id), next)) return false;
    this.#snapshots.set(next.id, next);
    if (this.#snapshots.size > maxSnapshots) this.#deleteOldestEnded();
    return true;
  }

  /** Stores rights. @returns whether they changed; a new connection often repeats the same ones */
  setRights(id: string, rights: Rights): boolean {
    if (isSame(this.#rights.get(id), rights)) return false;
    this.#rights.set(id, rights);
    return true;
  }

  delete(id: string): void {
    this.#snapshots.delete(id);
    this.#rights.delete(id);
  }

  #deleteOldestEnded(): void {
    for (const [id, snapshot] of this.#snapshots) if (isTerminal(snapshot.state)) return this.delete(id);
  }
}

function isSame(current: Rights | undefined, next: Rights): boolean {
  if (current === undefined) return false;
  const verbs = Object.keys({ ...current, ...next });
  return verbs.every((verb) => (current[verb] ?? false) === (next[verb] ?? false));
}
