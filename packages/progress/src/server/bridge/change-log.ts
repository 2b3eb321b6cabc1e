import type { GoneReason } from '@wcc/progress/protocol';

/** The newest change of one operation. */
export interface Change {
  id: string;
  /** Number of the change; every change of any operation takes the next one. */
  at: number;
  /** Why the operation was removed; `null` if it was not. */
  gone: GoneReason | null;
}

/** Removed operations that are remembered, so that a process that missed the removal learns it. */
const maxRemoved = 10_000;
/** Outdated rows in the list before it is compacted. */
const slack = 64;

/**
 * The operations of this process in the order of their last change. A receiver that has everything up to change `n`
 * needs only the operations that changed after it, each in its newest state.
 */
export class ChangeLog {
  readonly #changes = new Map<string, Change>();
  /** Ascending by `at`; a row is outdated when the operation has changed again. */
  #rows: Change[] = [];
  readonly #removed = new Set<string>();
  #latest = 0;
  #horizon = 0;

  /** Number of the newest change; 0 before the first. */
  get latest(): number {
    return this.#latest;
  }

  /** A receiver that has less than this may have missed a removal that is not remembered any more. */
  get horizon(): number {
    return this.#horizon;
  }

  has(id: string): boolean {
    return this.#changes.has(id);
  }

  changed(id: string): void {
    this.#removed.delete(id);
    this.#add(id, null);
  }

  removed(id: string, why: GoneReason): void {
    if (!this.#changes.has(id)) return;
    this.#add(id, why);
    this.#removed.add(id);
    const [oldest] = this.#removed;
    if (this.#removed.size > maxRemoved && oldest !== undefined) {
      this.#horizon = this.#changes.get(oldest)?.at ?? this.#horizon;
      this.forget(oldest);
    }
  }

  /** Removes an operation that receivers keep or remove by a rule of their own. */
  forget(id: string): void {
    this.#changes.delete(id);
    this.#removed.delete(id);
  }

  /** The changes after `at`, oldest first. */
  *after(at: number): Iterable<Change> {
    const rows = this.#rows;
    for (let index = this.#firstAfter(at); index < rows.length; index += 1) {
      const row = rows[index];
      if (row !== undefined && this.#changes.get(row.id) === row) yield row;
    }
  }

  #add(id: string, gone: GoneReason | null): void {
    this.#latest += 1;
    const change = { id, at: this.#latest, gone };
    this.#changes.set(id, change);
    this.#rows.push(change);
    if (this.#rows.length > 2 * this.#changes.size + slack)
      this.#rows = this.#rows.filter((row) => this.#changes.get(row.id) === row);
  }

  #firstAfter(at: number): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle]?.at ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
